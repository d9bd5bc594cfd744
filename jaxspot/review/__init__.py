"""The page on which a person accepts, rejects and mends the intervals of a spotted video."""
