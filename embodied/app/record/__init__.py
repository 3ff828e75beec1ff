"""What a run leaves behind: its folder, its states, its memory."""
