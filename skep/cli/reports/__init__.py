"""`skep report`: the macros of the snapshot as tables, drawings, pictures and pages."""
