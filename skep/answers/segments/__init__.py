"""Questions about segments as a whole: what one would be, whether all are true, healthy, who changed them."""
