"""Rules that compare people: trained and measured."""
