"""The report of one run: text, figures and page."""

import html_pages
import numpy as np
import pytest
import report_making

from grfjax import errors
from grfjax.evaluation import held_out_estimates
from grfjax.io import atomic
from grfjax.report import run_report, stance_figures, style


def test_subject_text_says_everything(tmp_path):
  value = report_making.made_up_run(tmp_path, 'A')
  text = run_report.run_summary(value)
  for number in ('mae_pct_bw', 'rmse_pct_bw'):
    assert f'{getattr(value.errors, number):.2f}' in text
  for words in ('A held out', 'both legs', 'constant', 'mean curve', 'near side', 'In the air',
                '123456 parameters', 'B, C, D', '0.81-0.90'):  # fmt: skip
    assert words in text


def test_subject_text_of_one_leg_without_extras():
  value = report_making.small_folds()['B']
  text = run_report.run_summary(value)
  assert 'in stance only' in text
  assert 'mean curve, true timing' not in text  # it could not be judged
  assert 'None' not in text
  assert 'nan' not in text


@pytest.mark.parametrize(('legs', 'axes'), [(2, 3), (1, 1)])
def test_run_figures(tmp_path, legs, axes):
  report_making.made_up_run(tmp_path, 'su$b$ject', legs=legs, axes=axes)  # not a formula
  paths = [picture.path for picture in run_report.draw_run_figures(tmp_path)]
  assert [p.name for p in paths] == [
    'true_against_estimated.png', 'learning_curves.png', 'curves.png', 'stance.png'
  ]  # fmt: skip
  assert all(report_making.is_png(p) for p in paths)
  assert {p.name for p in (tmp_path / 'figures').iterdir()} == {p.name for p in paths}


def test_a_runs_page(tmp_path):
  run = tmp_path / 'A'
  run.mkdir()
  report_making.made_up_run(run, 'A')
  written = run_report.write_run_report(run)
  assert written[0] == run / 'report.html'
  seen = html_pages.Page(written[0].read_text(encoding='utf-8'))
  assert len(seen.all('img')) == 4
  assert all(len(img['alt']) > 20 for img in seen.all('img'))
  for words in ('1 subject (A)', 'subject, held out', '12.5', 'not a medical device'):
    assert words in seen.text


def test_run_figures_without_a_log(tmp_path):
  report_making.made_up_run(tmp_path, 'A', legs=1, axes=1)
  atomic.write_text(
    tmp_path / 'metrics.jsonl', '{"step": 50, "loss": 1.0, "mae_pct_bw": 9.0}\n{"st'
  )
  run_report.draw_run_figures(tmp_path)
  (tmp_path / 'metrics.jsonl').unlink()
  assert all(
    report_making.is_png(picture.path) for picture in run_report.draw_run_figures(tmp_path)
  )


def test_a_broken_estimates_file_is_named(tmp_path):
  report_making.made_up_run(tmp_path, 'A', legs=1, axes=1)
  np.savez(tmp_path / 'estimates.npz', trial=np.zeros(1))
  with pytest.raises(errors.InputError, match=r'estimates\.npz: no contact, estimate') as caught:
    run_report.draw_run_figures(tmp_path)
  assert caught.value.code == 'evaluation.damaged'
  assert caught.value.file == str(tmp_path / 'estimates.npz')


def test_a_failed_figure_leaves_nothing(tmp_path, monkeypatch):
  report_making.made_up_run(tmp_path, 'A', legs=1, axes=1)

  def fail(self, path, **_):
    path.write_bytes(b'half')
    raise OSError('disk full')

  monkeypatch.setattr(style.figure.Figure, 'savefig', fail)
  with pytest.raises(OSError, match='disk full'):
    run_report.draw_run_figures(tmp_path)
  assert list((tmp_path / 'figures').iterdir()) == []


def test_stances_without_seen_ends(tmp_path):
  """The paper's voxels: stance frames alone, so no stance shows its ends."""
  report_making.made_up_run(tmp_path, 'A', legs=1, axes=1)
  one = held_out_estimates.read_estimates(tmp_path / 'estimates.npz')
  truth, guess, whole = stance_figures.stance_curves(one, 0)
  assert whole
  assert truth.shape == guess.shape == (12, 101, 1)
  at = one.contact[:, 0]
  cut = held_out_estimates.HeldOutEstimates(**{k: v[at] for k, v in vars(one).items()})
  truth_cut, _, whole = stance_figures.stance_curves(cut, 0)
  assert not whole
  np.testing.assert_array_equal(truth_cut, truth)
