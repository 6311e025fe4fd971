"""Synthetic walkers whose motion obeys their forces: forces -> motion -> pictures -> files.

The chain, with the modules of each link:

1. Who walks: `anthropometry` draws a body, `gait_styles` holds how gaits differ; `body` defines
   joints, segments, a subject and a walk; `walks` draws subjects and whole walks.
2. Forces: `ground_reaction` draws the force of each footfall, changes all of them a little so that
   every stride ends as it began, and integrates them to the path of the centre of mass.
3. Motion: `leg_kinematics` moves each leg under a path of its hip, `upper_body` whatever rides on
   the pelvis, and `body_pose` finds the path of the pelvis with which the centre of mass follows
   its own. `smooth_functions` are their building blocks.
4. Pictures: `appearance` and `clothing` draw how a person looks, `room` the surroundings, `camera`
   projects points. `background` paints the empty room, `floor_shadows` darkens its floor, and
   `walker_drawing` with `head_drawing` lays the body and its clothes, whose shapes are in
   `body_outlines`, on a canvas of `shaded_solids`. `rendering` makes frames of all that.
5. Files: `trial` writes one walk with what force plates measure of it, filmed by a good camera or
   a phone (`grfjax.degradation`), and `recording_set` writes a whole set.
"""
