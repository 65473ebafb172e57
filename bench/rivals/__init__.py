"""Programs that run in the environments of other systems; each writes RTTM files and what they cost."""
