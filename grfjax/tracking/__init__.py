"""From a video to its walkers: background, camera, people linked over time, window."""
