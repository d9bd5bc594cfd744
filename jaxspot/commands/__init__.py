"""What `launch/` and the console command run: flags in, one library call, files out."""
