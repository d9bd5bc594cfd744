"""Methods that results are held against, each a plain function from frames to intervals."""
