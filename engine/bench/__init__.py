"""The interactivity benchmark: scripted users who react, engines that are run as in a session, figures."""
