"""From a video to a bank of aligned 112x112 gray frames."""
