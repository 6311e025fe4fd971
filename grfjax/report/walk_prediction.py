"""The result for one video: what its JSON file holds, and what the other files are made from."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import math
from typing import Any

import numpy as np

from grfjax.evaluation import plate_reference
from grfjax.gait import (
  foot_contacts,
  force_curves,
  opensim_files,
  plausibility,
  published_speeds,
  step_lengths,
  summaries,
  walking_speed,
)
from grfjax.report import foot_marks

Content = dict[str, Any]  # of a STEM.json; None is undefined


@dataclasses.dataclass(frozen=True)
class Prediction:
  """A video with its estimate.

  Attributes:
    name: of its files.
    video_name: the video's file name.
    subject: who walks, of a recording set; '' otherwise.
    estimate: the curves.
    body_mass_kg: of the walker; None where not given: nothing is in newtons.
    run: description of the network, of `run_description.describe_run`.
    reference: forces and contacts that plates measured, where there are any.
    notes: more sentences for the reader.
    given: height and age of the walker, and the film's scale.
  """

  name: str
  video_name: str
  subject: str
  estimate: force_curves.ForceCurves
  body_mass_kg: float | None
  run: dict[str, Any]
  reference: plate_reference.PlateReference | None = None
  notes: tuple[str, ...] = ()
  given: walking_speed.Given = walking_speed.NOTHING

  @functools.cached_property
  def contacts(self) -> list[foot_contacts.MeasuredContact]:
    """The contacts of both feet, in order of time, with the lengths of steps and strides."""
    return self._measured[0]

  @property
  def speed(self) -> walking_speed.WalkingSpeed:
    """How fast the walker goes."""
    return self._measured[1]

  @functools.cached_property
  def _measured(self) -> tuple[list[foot_contacts.MeasuredContact], walking_speed.WalkingSpeed]:
    estimate = self.estimate
    contacts = foot_contacts.find_contacts(estimate.time_s, estimate.force)
    contacts, speed = walking_speed.measure(contacts, estimate.time_s, estimate.path, self.given)
    if estimate.feet is not None:
      contacts = step_lengths.measure(
        contacts, estimate.time_s, estimate.feet.sole, estimate.has_estimate,
        metres=self.metres_per_bh,
      )  # fmt: skip
    return contacts, speed

  @functools.cached_property
  def metres_per_bh(self) -> float:
    """Metres in a body height; NaN where nothing tells them."""
    return walking_speed.metres_per_body_height(self.estimate.path, self.given)

  @functools.cached_property
  def mots(self) -> list[str]:
    """The texts of OpenSim's external forces (_grf.mot), one for each walk; none without a mass."""
    if self.body_mass_kg is None:
      return []
    return opensim_files.to_mot(self.estimate, self.body_mass_kg, self.name, self.pressure_m)

  @property
  def pressure_m(self) -> np.ndarray | None:
    """(N, 2, 2) metres, as `FootPlaces.pressure`; None where no foot or no metre is known."""
    if self.estimate.feet is None or math.isnan(self.metres_per_bh):
      return None
    pressure = self.estimate.feet.pressure
    return pressure * self.metres_per_bh if np.isfinite(pressure).any() else None

  @functools.cached_property
  def quality(self) -> plausibility.Quality:
    """What a reader should know before the numbers."""
    quality = plausibility.check_plausibility(self.estimate, self.contacts, self.speed)
    about_opensim = self._about_opensim()
    found = plausibility.in_order(
      [
        *quality.found,
        *plausibility.check_speed(self.speed, self.given),
        *plausibility.check_steps(self.contacts, self.estimate.feet is not None),
        *(plausibility.Flag('prediction.note', note) for note in self.notes),
        *([about_opensim] if about_opensim else []),
      ]
    )
    return dataclasses.replace(quality, found=found)

  @functools.cached_property
  def content(self) -> Content:
    """The content of STEM.json; None is undefined."""
    quality = dataclasses.asdict(self.quality)
    del quality['found']
    quality |= {'flags': list(self.quality.flags), 'flag_codes': list(self.quality.flag_codes)}
    published = published_speeds.of_age(self.given.age_years)
    return {
      'grfjax': importlib.metadata.version('grfjax'),
      'name': self.name,
      'video': self.video_name,
      'subject': self.subject or None,
      'camera': self.estimate.camera,
      'speed': self.estimate.speed,
      'body_mass_kg': self.body_mass_kg,
      **dataclasses.asdict(self.given),
      'run': self.run,
      'quality': quality,
      'errors': (
        self.reference.errors(self.estimate, self.contacts, self.metres_per_bh)
        if self.reference
        else None
      ),
      **summaries.as_dict(self.contacts, self.speed),
      'published_speed': published._asdict() if published else None,
      'published_ranges': [
        published_range._asdict()
        for published_range in published_speeds.ranges_of_age(self.given.age_years)
      ],
      'foot_marks': foot_marks.describe(self.estimate, self.contacts, self.metres_per_bh),
    }

  def _about_opensim(self) -> plausibility.Flag | None:
    """Returns what the files for OpenSim lack; None where they lack nothing."""
    if not self.mots:
      if self.body_mass_kg is None:
        reason = 'the body mass is not given'
      elif self.estimate.force.shape[2] < 3 or not self.estimate.has_estimate.all(1).any():
        reason = 'no frame has three axes of both legs'
      else:
        reason = f'nowhere are both legs known for {opensim_files.MIN_WALK_S:g} s'
      return plausibility.Flag(
        'prediction.no_opensim_file', f'There is no OpenSim file (_grf.mot): {reason}.'
      )
    if self.pressure_m is None:
      if self.estimate.feet is None:
        reason = 'the network does not tell it'
      elif math.isnan(self.metres_per_bh):
        reason = 'the body height is not given'
      else:
        reason = 'no foot was found on the floor'
      return plausibility.Flag(
        'prediction.no_centre_of_pressure',
        f'The OpenSim file (_grf.mot) has no centre of pressure, but zeros: {reason}.',
      )
    if len(self.mots) > (whole := len(opensim_files.walk_frames(self.estimate))):
      return plausibility.Flag(
        'prediction.split_opensim_file',
        f'There are {len(self.mots)} OpenSim files (_grf.mot) of {whole} stretches with forces: '
        'where it is not known where a foot stands, a file ends.',
      )
    return None
