"""What every Python suite of the project shares: services, the program's runner, a terminal."""
