"""What the window is made of; each panel draws the latest state on a timer."""
