"""What goes out: messages, with their files and keyboards, in the words of whom they are for."""
