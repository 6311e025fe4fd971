"""What phones, hands, lamps and rooms do to a video of a walk, done to a good one.

`damage` draws what happens to a video, each kind of damage by itself or several at once;
`camera_path` moves the camera, `light` changes the lamps and the exposure, `film` does all of it to
frames, in the order in which a camera does: optics, sensor, its own processing. The last link, the
strong compression, is the encoder's (`grfjax.io.video_writing`).

docs/degraded_video.md says why each range is as it is.
"""
