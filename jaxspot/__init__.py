"""jaxspot finds micro- and macro-expressions in long face videos.

All of this can be imported from here: `from jaxspot import k_frame`, then `help(k_frame)`.

Labels

  read_samm_lv
    Reads the labels of SAMM-LV: subject '006', video '006_1', kind, onset, apex, offset.
  read_cas_me2
    Reads the labels of CAS(ME)^2: subject 's15', video 's15_0401', kind, onset, apex, offset.
  to_span
    Frames `onset..offset` (from 1, both included) as array bounds `start, stop` (from 0).
  from_span
    Array bounds `start, stop` (from 0, half open) as frames `onset, offset` (from 1).
  duration_table
    How long the expressions of each kind last, paper Table 2, and their k-th frame.
  k_frame
    The k-th frame of each kind: half the mean duration, paper section 3.3 and Table 3.
  move_to_neutral_ratio
    Frames that move over frames that do not, paper section 3.2 and Figure 3.

Video

  read_video
    Yields every frame in presentation order; memory does not grow with the video.
  align_face
    Warp a face upright to a gray square, uint8 (size, size); black outside the image.
  open_bank
    Opens a frame bank.

Network

  local_contrast_normalise
    Subtracts the local mean and divides by the local deviation, paper eq. 1.
  augment
    Changes contrast, gamma, gain and pose of a sample, all its frames alike.
  Augmentation
    Ranges of the random changes; the defaults are the paper's.
  TwoStream
    Scores a frame against its references, paper Figure 1.
  Convolution
    The paper's trunk: three depthwise separable blocks, then spatial averages (Figure 1).
  Motion
    A trunk that sees only motion: one dense layer over the grid of `local_motion`.
  Streams
    What the streams of a network compare; the defaults are the paper's.
  weighted_bce
    Weighted binary cross-entropy of every sample, paper eq. 2 with its signs mended.

Training

  loso_folds
    One fold a subject; one in eight of the others (at least one), rotating, validates.
  plan_networks
    Which networks a run needs, by whose scores its thresholds are fitted on.
  gather_pool
    Reads what is known of each frame of a bank; the pixels stay on disk.
  Training
    How a fold is trained; the defaults are the paper's for CAS(ME)^2 (Table 3, section 2.2).
  train_loso
    Trains every fold on its own training subjects, all folds in one program.

Spotting

  score_video
    Scores every frame of a video by one or more trained networks.
  Protocol
    How scores become intervals and how these are scored; pairs are (ME, MaE).
  fit_decision
    Fits normalisation and thresholds on scores of other subjects than the held-out one.
  decide
    Applies a fitted decision to one video (paper section 4.1, Automated IoU Method).
  find_intervals
    Runs of frames whose score reaches the threshold (paper section 4.1).
  spot_videos
    Spots the expressions of video files; writes OUT/<video name>/ (`spot_clip`).
  load_spotter
    Reads what `save_spotter` wrote; a run's folder will do.
  Spotter
    One network per fold, used together.

Scoring

  match_intervals
    Matches predictions to labels of one kind in one video where IoU >= threshold.
  score_intervals
    Interval precision, recall and F1 (paper Tables 5 to 7), counts pooled over all videos.

Synthetic data

  synthetic_bank
    A frame bank of synthetic videos with exact labels, at `out` only when whole.
"""

from importlib import metadata

import lazy_loader

# The names live in `__init__.pyi`, where editors look for them. Each is imported when it is first
# asked for, so that the parts without jax (tables, matching, scores) load without it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

try:
    __version__ = metadata.version(__name__)
except metadata.PackageNotFoundError:  # a checkout that nobody installed
    __version__ = "0+unknown"
