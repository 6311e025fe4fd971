"""What the application says: its sentences, marked for translation, in the order of their codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Translate = Callable[[str], str]


def N_(text: str) -> str:
  """Marks a text that is translated when a page is made; extractors know this name."""
  return text


_FILM_AGAIN = N_('Film again, as the page "How to film" shows.')
_ANOTHER_FILE = N_('Choose the film itself, as the camera made it.')
_OPEN_AGAIN = N_('Open the address, or scan the code, that the program shows where it was started.')

# code -> what happened, and what can be done
REFUSALS: dict[str, tuple[str, str]] = {
  'app.no_session': (N_('This browser has not been let in.'), _OPEN_AGAIN),
  'app.wrong_token': (
    N_('This address is no longer valid: it changes each time the program is started.'),
    _OPEN_AGAIN,
  ),
  'app.host': (N_('The program was asked for by a name that is not its own.'), _OPEN_AGAIN),
  'app.csrf': (
    N_('This form does not come from a page that is open here, or is too old.'),
    N_('Go back, reload the page and send the form again.'),
  ),
  'app.form': (N_('The form did not arrive whole.'), N_('Go back and send it again.')),
  'app.pseudonym': (
    N_('The pseudonym is missing, or is too long.'),
    N_('Enter 1 to 60 characters; not a name by which others know the person.'),
  ),
  'app.date': (N_('The date of the film cannot be.'), N_('Enter the day of the film.')),
  'app.body_mass': (
    N_('The body mass is missing, or cannot be.'),
    N_('Enter it in kilograms, 5 to 300.'),
  ),
  'app.height': (
    N_('The height is not possible: enter metres, such as 1.75.'),
    N_('Enter it in metres, 0.5 to 2.6, or leave it.'),
  ),
  'app.age': (N_('The age cannot be.'), N_('Enter it in years, 0 to 120, or leave it.')),
  'app.no_film': (N_('There is no film, or an empty one.'), _ANOTHER_FILE),
  'app.too_large': (
    N_('The film is too large: less than 4 GB can be taken.'),
    N_('Film in 1080p rather than 4K, or cut the film to the walk.'),
  ),
  'app.disk_full': (
    N_('There is not enough room on the disk of the computer that the program runs on.'),
    N_('Delete walks that are no longer needed, or free the disk, and send the film again.'),
  ),
  'app.not_found': (
    N_('There is nothing at this address; it may have been deleted.'),
    N_('Go to the list of people.'),
  ),
  'app.method': (N_('This address cannot be used in this way.'), N_('Go to the list of people.')),
  'app.state': (
    N_('This cannot be done now; somebody may have done it already.'),
    N_('Reload the page.'),
  ),
  'app.internal': (
    N_('The program failed.'),
    N_('Try again; if it fails again, tell whoever looks after the program.'),
  ),
  'app.worker_died': (
    N_('The program was ended three times while it worked on this film.'),
    N_('Film for a shorter time or in 1080p: the memory may be too small for this film.'),
  ),
  'video.unreadable': (N_('The file is no film, or is cut short.'), _ANOTHER_FILE),
  'video.no_video': (N_('The file holds sound or data, but no film.'), _ANOTHER_FILE),
  'video.too_short': (N_('The film has fewer than two pictures.'), _FILM_AGAIN),
  'video.too_narrow': (N_('The picture is less than 64 pixels wide.'), _FILM_AGAIN),
  'video.frame_times': (N_('The times of the pictures do not increase.'), _ANOTHER_FILE),
  'video.hole': (N_('Pictures are missing in the middle of the film.'), _FILM_AGAIN),
  'video.frame_size': (N_('The size of the pictures changes within the film.'), _ANOTHER_FILE),
  'video.damaged': (N_('The film is damaged.'), _ANOTHER_FILE),
  'video.interlaced': (
    N_('The film is interlaced: its odd and even rows show two instants.'),
    N_('Set the camera to progressive pictures (a p, not an i, behind the number of rows).'),
  ),
  'video.cut': (
    N_('The film shows another view from one picture to the next: several shots are joined.'),
    N_('Choose one of the shots by itself.'),
  ),
  'video.dissolve': (
    N_('One shot fades into another: several shots are joined.'),
    N_('Choose one of the shots by itself.'),
  ),
  'video.frozen': (
    N_('For a while the picture stands still while the film goes on.'),
    N_('Cut that part away, or film again.'),
  ),
  'video.turned': (
    N_('The picture is turned: the walker lies on the side, or the head is below.'),
    _ANOTHER_FILE,
  ),
  'video.several_views': (
    N_('The film shows several views at once.'),
    N_('Choose the film of one camera.'),
  ),
  'video.no_walker': (N_('Nobody is seen walking across the picture.'), _FILM_AGAIN),
}
_OTHER = (N_('The film cannot be used.'), _FILM_AGAIN)

# What a check found: code -> sentence, filled in with its numbers.
FINDINGS: dict[str, str] = {
  'video.no_walker': N_('Nobody is seen walking across the picture.'),
  'check.frame_rate': N_(
    'The film has %(fps)s pictures a second; 50 or more show how the foot meets the floor.'
  ),
  'check.playback_speed': N_(
    'The file says that a second of the film is %(speed)s real seconds; the results are in real '
    'seconds.'
  ),
  'check.withheld': N_('In %(percent)s %% of the walk the walker is not seen clearly.'),
  'check.few_contacts': N_(
    'The walk is short. Contacts of each foot that will be seen whole: about %(contacts)s, '
    'expected %(enough)s or more. Film several walks, there and back, in one film.'
  ),
  'check.small_walker': N_(
    'The walker is small: the window around is %(rows)s pixels high, expected %(expected)s.'
  ),
  'walker.camera_moves': N_(
    'From %(start)s to %(end)s s the camera moves too much, and nothing is estimated.'
  ),
  'walker.two_together': N_(
    'From %(start)s to %(end)s s two people are too close to each other, and nothing is estimated.'
  ),
  'walker.another_in_window': N_(
    'From %(start)s to %(end)s s another person is beside the walker, and nothing is estimated.'
  ),
  'walker.reflection': N_(
    "From %(start)s to %(end)s s a reflection's legs are behind those of the walker, and nothing "
    'is estimated.'
  ),
  'walker.feet_cut': N_(
    "From %(start)s to %(end)s s the feet are below the picture's lower edge, and nothing is "
    'estimated.'
  ),
  'walker.head_cut': N_(
    "From %(start)s to %(end)s s the head is above the picture's upper edge, and nothing is "
    'estimated.'
  ),
  'walker.hidden': N_(
    'From %(start)s to %(end)s s something hides the feet, and nothing is estimated.'
  ),
  'walker.no_stride': N_(
    'From %(start)s to %(end)s s no legs swing as they do seen from the side, and nothing is '
    'estimated.'
  ),
  'walker.on_the_spot': N_(
    'From %(start)s to %(end)s s somebody walks on the spot, as on a treadmill, and nothing is '
    'estimated.'
  ),
  'walker.camera_carried': N_(
    'From %(start)s to %(end)s s the camera goes along with the walker, and nothing is '
    'estimated. Let it stand still.'
  ),
  'walker.zoom': N_(
    'From %(start)s to %(end)s s the camera zooms or comes nearer, and nothing is estimated.'
  ),
  'walker.jump': N_(
    'From %(start)s to %(end)s s the film jumps; what is before and after is estimated by itself.'
  ),
  'walker.frozen': N_(
    'From %(start)s to %(end)s s the picture stands still at once, and nothing is estimated.'
  ),
  'walker.repeated': N_(
    'From %(start)s to %(end)s s a walk is shown again: the film is looped or runs backwards.'
  ),
  'walker.oblique': N_(
    'From %(start)s to %(end)s s somebody comes nearer or goes away instead of walking past, and '
    'nothing is estimated.'
  ),
  'walker.reflected': N_(
    "From %(start)s to %(end)s s somebody moves as the walker's reflection does, and is taken for "
    'it.'
  ),
  'walker.shorter': N_(
    'From %(start)s to %(end)s s somebody else walks as well; who goes further is estimated.'
  ),
}

# Flags of a prediction (docs/error_codes.md), for sentences that `FLAG_SENTENCES` does not know.
FLAGS: dict[str, str] = {
  'walker.camera_moves': N_('Where the camera moves too much, nothing is given.'),
  'walker.low_trust': N_('Where the networks contradict each other, nothing is given.'),
  'walker.two_together': N_('Where two people are too close to each other, nothing is given.'),
  'walker.another_in_window': N_('Where another person is beside the walker, nothing is given.'),
  'walker.reflection': N_(
    "Where a reflection's legs are behind those of the walker, nothing is given."
  ),
  'walker.feet_cut': N_("Where the feet are below the picture's lower edge, nothing is given."),
  'walker.head_cut': N_("Where the head is above the picture's upper edge, nothing is given."),
  'walker.hidden': N_('Where something hides the feet, nothing is given.'),
  'walker.no_stride': N_('Where no legs swing as they do seen from the side, nothing is given.'),
  'walker.on_the_spot': N_(
    'Where somebody walks on the spot, as on a treadmill, nothing is given.'
  ),
  'walker.camera_carried': N_('Where the camera goes along with the walker, nothing is given.'),
  'walker.zoom': N_('Where the camera zooms or comes nearer, nothing is given.'),
  'walker.jump': N_('Where the film jumps, nothing is given.'),
  'walker.frozen': N_('Where the picture stands still at once, nothing is given.'),
  'walker.repeated': N_('A walk is shown again: the numbers count the same steps more than once.'),
  'walker.oblique': N_('Where somebody comes nearer or goes away, nothing is given.'),
  'walker.oblique_feet': N_(
    'Where a walk leads to the camera or away from it, it is not told where the feet stand.'
  ),
  'walker.reflected': N_("Somebody moves as the walker's reflection does, and is taken for it."),
  'walker.shorter': N_('Somebody else walks at the same time; who goes further is estimated.'),
  'gait.frames_without_estimate': N_('For a part of the film nothing is given.'),
  'gait.no_estimate': N_('There is no estimate of one leg.'),
  'gait.leg_without_estimate': N_('One leg has no estimate in a part of the walk.'),
  'gait.several_walks': N_('There are several walks; the numbers are of all together.'),
  'gait.contact_cut_off': N_(
    'Some foot contacts are not seen whole; only those that are seen whole are measured.'
  ),
  'gait.no_whole_contact': N_('No foot contact is seen whole.'),
  'gait.no_swing': N_("A leg's force does not fall to 0 between two contacts."),
  'gait.same_foot_twice': N_('A foot touches down twice in a row.'),
  'gait.peak_too_high': N_('A vertical force is higher than walking allows.'),
  'gait.stance_time': N_('A stance is shorter or longer than walking allows.'),
  'gait.cadence': N_('The cadence is lower or higher than walking allows.'),
  'gait.cadence_and_speed': N_(
    'Cadence, walking speed and step length contradict each other: a contact is missing or false.'
  ),
  'gait.playback_speed': N_('The cadence is unusual: the film may be slowed down or sped up.'),
  'gait.total_force': N_(
    'Over whole strides both legs together do not carry one body weight, so the forces are wrong.'
  ),
  'gait.no_walking_speed': N_('There is no walking speed or stride length.'),
  'gait.no_body_height': N_(
    'Walking speed, step and stride length are in body heights: the body height is not given.'
  ),
  'gait.walking_speed': N_('The walking speed is lower or higher than walking allows.'),
  'gait.scale': N_('The scale does not fit the body height.'),
  'gait.no_step_length': N_('There is no step length.'),
  'gait.step_length': N_('A step is shorter or longer than walking allows.'),
  'prediction.note': N_('There is a note:'),
  'prediction.no_opensim_file': N_('There is no file for OpenSim.'),
  'prediction.split_opensim_file': N_('There are more files for OpenSim than walks.'),
  'prediction.no_centre_of_pressure': N_('The file for OpenSim has no centre of pressure.'),
}

_FROM_TO = r'From (?P<start>\S+) to (?P<end>\S+) s .*'


def _as_it_is(text: str) -> tuple[str, str]:
  """Returns the regular expression of a text whose places %(name)s are filled in, and the text."""
  pattern = re.escape(text).replace(r'%\(leg\)s', '(?P<leg>left|right)')
  return re.sub(r'%\\\((\w+)\\\)s', r'(?P<\1>\\S+)', pattern), text


# code -> (regular expression of a sentence that results hold in English, what is said for it). The
# groups of the first fill in the second, so that a sentence is translated with its numbers.
FLAG_SENTENCES: dict[str, tuple[tuple[str, str], ...]] = {
  **{code: ((_FROM_TO, FINDINGS[code]),) for code in FINDINGS if code.startswith('walker.')},
  'walker.low_trust': ((
    _FROM_TO,
    N_('From %(start)s to %(end)s s the networks contradict each other, and nothing is given.'),
  ),),
  'walker.oblique_feet': ((
    _FROM_TO,
    N_(
      'From %(start)s to %(end)s s the walk leads to the camera or away from it; it is not told '
      'where the feet stand.'
    ),
  ),),
  'gait.frames_without_estimate': (
    _as_it_is(N_(
      '%(missing)s of %(frames)s frames have no estimate: nobody could be followed there.'
    )),
    _as_it_is(N_(
      '%(missing)s of %(frames)s frames have no estimate: nobody could be followed there, or it '
      'is not to be trusted.'
    )),
  ),
  'gait.no_estimate': (
    _as_it_is(N_('There is no estimate of the %(leg)s leg (it was never seen).')),
    _as_it_is(N_(
      'There is no estimate of the %(leg)s leg (the network knows the near leg alone).'
    )),
  ),
  'gait.leg_without_estimate': (_as_it_is(
    N_('The %(leg)s leg has no estimate in %(missing)s frames of the walk.')
  ),),
  'gait.several_walks': (_as_it_is(
    N_('There are %(walks)s walks across the picture; the numbers are of all together.')
  ),),
  'gait.contact_cut_off': (_as_it_is(
    N_('%(cut_off)s of %(contacts)s contacts are not seen whole; only whole ones are measured.')
  ),),
  'gait.no_whole_contact': (_as_it_is(
    N_('No whole contact was seen, so that no stance could be measured.')
  ),),
  'gait.no_swing': (_as_it_is(
    N_(
      'The force of the %(leg)s leg does not fall to 0 between two contacts: there the curves are '
      'not those of walking.'
    )
  ),),
  'gait.same_foot_twice': (_as_it_is(
    N_(
      'The %(leg)s foot touches down twice in a row: a step of the other foot was missed, or the '
      'legs were taken for each other.'
    )
  ),),
  'gait.peak_too_high': (_as_it_is(
    N_(
      'The vertical force of the %(leg)s leg reaches %(peak)s BW; walking does not exceed '
      '%(highest)s BW.'
    )
  ),),
  'gait.stance_time': (_as_it_is(
    N_(
      'The contact of the %(leg)s foot at %(start)s s lasts %(stance)s s; in walking it takes '
      '%(low)s to %(high)s s. It may be none, and it is in the means.'
    )
  ),),
  'gait.cadence': (_as_it_is(
    N_('The cadence of %(cadence)s steps a minute is outside %(low)s to %(high)s.')
  ),),
  'gait.cadence_and_speed': (_as_it_is(
    N_(
      'By the times of the contacts the cadence is %(cadence)s steps a minute, by walking speed '
      'and step length %(by_speed)s: a contact is missing or false, and what is measured from one '
      'contact to the next is wrong.'
    )
  ),),
  'gait.playback_speed': tuple(
    (
      r'The cadence of (?P<cadence>\S+) steps a minute is unusual \(outside (?P<low>\S+) to '
      rf'(?P<high>\S+)\): the film may be {how}\. .*',
      text,
    )
    for how, text in (
      ('slowed down', N_(
        'The cadence of %(cadence)s steps a minute is unusual (outside %(low)s to %(high)s): the '
        'film may be slowed down. If it is, every time and measure is wrong; film again at normal '
        'speed.'
      )),
      ('sped up', N_(
        'The cadence of %(cadence)s steps a minute is unusual (outside %(low)s to %(high)s): the '
        'film may be sped up. If it is, every time and measure is wrong; film again at normal '
        'speed.'
      )),
    )
  ),
  'gait.total_force': (_as_it_is(
    N_(
      'Over whole strides both legs together carry %(total)s BW on average; it must be 1, so the '
      'curves are wrong by about as much.'
    )
  ),),
  'gait.no_walking_speed': (
    _as_it_is(N_(
      'There is no walking speed or stride length: the network looks at the whole picture and '
      'follows nobody.'
    )),
    _as_it_is(N_(
      'There is no walking speed or stride length: no initial contacts of both feet, one after the '
      'other, were seen.'
    )),
    _as_it_is(N_(
      'There is no walking speed or stride length: the walker is not seen from head to foot '
      'throughout any step.'
    )),
  ),
  'gait.no_body_height': (
    _as_it_is(N_(
      'Walking speed, step and stride length are in body heights, not in metres: the body height '
      'is not given.'
    )),
    # As results of earlier versions say it.
    _as_it_is(N_(
      'Walking speed and stride length are in body heights, not in metres: the body height is not '
      'given.'
    )),
  ),
  'gait.walking_speed': (_as_it_is(
    N_(
      'The walking speed of %(speed)s m/s is outside %(low)s to %(high)s m/s: the height or the '
      'scale given may be wrong, or the film is slowed down or sped up.'
    )
  ),),
  'gait.scale': (_as_it_is(
    N_(
      'By the scale given the walker is %(scaled)s m tall, but the height given is %(given)s m; '
      'metres are by the scale.'
    )
  ),),
  'gait.no_step_length': (_as_it_is(
    N_(
      'There is no step length: of no two contacts, one after the other, it was seen where both '
      'feet stand.'
    )
  ),),
  'gait.step_length': (_as_it_is(
    N_(
      'The step of the %(leg)s foot at %(start)s s is %(length)s body heights long; in walking it '
      'is %(low)s to %(high)s. The foot may not stand where it was taken to, and it is in the '
      'means.'
    )
  ),),
  'prediction.no_opensim_file': (
    _as_it_is(N_('There is no OpenSim file (_grf.mot): the body mass is not given.')),
    _as_it_is(N_('There is no OpenSim file (_grf.mot): no frame has three axes of both legs.')),
    _as_it_is(
      N_('There is no OpenSim file (_grf.mot): nowhere are both legs known for %(seconds)s s.')
    ),
  ),
  'prediction.split_opensim_file': (_as_it_is(
    N_(
      'There are %(files)s OpenSim files (_grf.mot) of %(stretches)s stretches with forces: where '
      'it is not known where a foot stands, a file ends.'
    )
  ),),
  'prediction.no_centre_of_pressure': (
    _as_it_is(
      N_(
        'The OpenSim file (_grf.mot) has no centre of pressure, but zeros: the body height is not '
        'given.'
      )
    ),
    _as_it_is(
      N_(
        'The OpenSim file (_grf.mot) has no centre of pressure, but zeros: the network does not '
        'tell it.'
      )
    ),
    _as_it_is(
      N_(
        'The OpenSim file (_grf.mot) has no centre of pressure, but zeros: no foot was found on '
        'the floor.'
      )
    ),
  ),
}  # fmt: skip

# Labels and units of grfjax.gait.gait_measures, which are translated by their English text.
MEASURES = (
  N_('Stance time'), N_('Step time'), N_('Stride time'), N_('Double support'), N_('First peak'),
  N_('Time of the first peak'), N_('Valley'), N_('Time of the valley'), N_('Second peak'),
  N_('Time of the second peak'), N_('Loading rate'), N_('Vertical impulse'),
  N_('Braking impulse'), N_('Propulsion impulse'), N_('Cadence'), N_('Step length'),
  N_('Step length in body heights'), N_('Stride length'),
  N_('Stride length in body heights'), N_('Walking speed'), N_('Walking speed in body heights'),
)  # fmt: skip
UNITS = (
  N_('s'), N_('% of stride'), N_('% of stance'), N_('BW'), N_('BW/s'), N_('BW s'), N_('steps/min'),
  N_('m'), N_('m/s'), N_('body heights'), N_('body heights/s'),
)  # fmt: skip
LEGS = {'left': N_('left'), 'right': N_('right'), '': ''}
_DECIMAL_MARK = N_('.')


def refusal(code: str, _: Translate) -> tuple[str, str]:
  """Returns what happened and what can be done, translated; ('', '') of no code."""
  if not code:
    return '', ''
  message, remedy = REFUSALS.get(code, (FLAGS[code], _FILM_AGAIN) if code in FLAGS else _OTHER)
  return _(message), _(remedy)


def finding(found: dict[str, Any], _: Translate) -> str:
  """Returns the sentence of a finding of a check, translated."""
  return _fill_in(FINDINGS[found['code']], found['numbers'], _)


def flag(code: str, sentence: str, _: Translate, language: str) -> dict[str, str]:
  """Returns a flag of a prediction for a page.

  Args:
    code: of the flag.
    sentence: its English sentence.
    _: of the reader's language.
    language: of the reader.

  Returns:
    'text' in the reader's language, 'code', and as 'detail' the English sentence, where 'text' is
    a more general one; '' otherwise.
  """
  # Translations have no sentence of a single moment.
  spanned = re.sub(r'^At (\S+) s ', r'From \1 to \1 s ', sentence) if language != 'en' else sentence
  for pattern, text in FLAG_SENTENCES.get(code, ()):
    found = re.fullmatch(pattern, spanned)
    if found:
      return {'text': _fill_in(text, found.groupdict(), _), 'code': code, 'detail': ''}
  if language == 'en' or code not in FLAGS:
    return {'text': sentence, 'code': code, 'detail': ''}
  return {'text': _(FLAGS[code]), 'code': code, 'detail': sentence}


def _fill_in(text: str, values: dict[str, str], _: Translate) -> str:
  """Returns a text translated, with its numbers and legs as its language writes them."""
  mark = _(_DECIMAL_MARK)
  return _(text) % {
    name: _(LEGS[value]) if name == 'leg' else value.replace('.', mark)
    for name, value in values.items()
  }
