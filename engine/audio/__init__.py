"""Sound in and out: devices, rings, resampling, echo cancellation, files."""
