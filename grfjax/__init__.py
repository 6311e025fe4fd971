"""Ground reaction forces of both legs from a side-view walking video.

Data flow through the rooms in this order: `io` (recording sets, force files, videos), `tracking`
(videos to walkers), `data` (records and batches), `training`, `inference` (force curves of new
videos), `evaluation`, `report`. `models` (networks) and `gait` (what force curves say) are pure.
`docs/architecture.md` is the map.
"""
