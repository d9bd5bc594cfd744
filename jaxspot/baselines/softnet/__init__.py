"""SOFTNet of Liong, See and Wong (ICIP 2021), trained leave-one-subject-out."""
