"""What the screen and the command line both show, computed without Textual."""
