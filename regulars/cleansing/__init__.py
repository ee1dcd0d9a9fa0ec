"""What people wrote, read as words of a vocabulary and as exact numbers: pure functions, no database."""
