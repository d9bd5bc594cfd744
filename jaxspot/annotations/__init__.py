"""Who moved when: tables of videos and intervals, duration statistics."""
