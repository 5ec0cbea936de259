"""What each report answers, in the few words that a line of help has room for."""

from __future__ import annotations

TITLES = {
    "attribution": "Which channels conversions are credited to.",
    "attribution_paths": "The channels that led to each conversion, in order.",
    "compare_segments": "How the members of two segments differ in what they do.",
    "events_by_day": "Events of a name, and the people behind them, by day.",
    "funnel": "How many people took each step, and how long it took.",
    "funnel_people": "Who came how far in a funnel, and when.",
    "journey": "What happened to a profile, oldest first.",
    "known_segment": "Nothing, or an error that names the segments.",
    "members": "Who is in a segment now, newest first.",
    "members_at": "Who had been announced as a member at a moment.",
    "overlap": "How many people each two of some segments share.",
    "path_steps": "From which event people go to which, step by step.",
    "paths": "The ways that people take through their sessions.",
    "profiles_at": "Everybody seen by a moment, with what was known then.",
    "quarantine_reasons": "Refused records by reason, with an example of each.",
    "repeat_purchases": "What models of customer lifetime value take.",
    "retention": "How many people came again, by periods after the start.",
    "rfm": "How lately, how often, for how much people have ordered.",
    "segment_history": "Members by day, week or month, and who came and went.",
    "segment_overlap": "How many are in one segment, in another, in both.",
    "segment_sizes": "Members now, members ever and stays, by segment.",
    "segments_of": "The segments that a profile is, or was, in.",
    "sequences": "Every run of so many events in a row in a session.",
    "sessions": "The sessions of people, from 1 in a person's life.",
    "trait_at": "The value of a plain trait at a moment.",
    "venn": "How many people are in exactly which segments.",
    "was_member": "Whether a profile was a member at a moment.",
}
