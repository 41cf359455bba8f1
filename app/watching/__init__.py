"""What is being watched for right now, in the window, and taking it back."""
