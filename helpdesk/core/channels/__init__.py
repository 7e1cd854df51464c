"""What comes in and what goes out, whatever the channel."""
