"""What contracts say of properties: kinds, tags, what is inherited, what is personal."""
