"""Makes ``images/blocks.gif`` from a run of the README's sentence: python docs/pictures.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from PIL import Image

SENTENCE = "put the red block on the green block and the yellow block in the bin"
TARGET = Path(__file__).parent / "images" / "blocks.gif"
CROP = (90, 45, 580, 405)
"""Left, upper, right, lower pixel of the video's 640 x 480."""
EVERY, SHOW_MS, COLOURS = 3, 150, 96


def main() -> None:
    """Run the sentence, film it, and turn the video into a GIF with one palette."""
    with TemporaryDirectory() as out:
        call = [sys.executable, "-m", "embodied.app.cli.main", "run", "--quiet", "--out", out]
        subprocess.run([*call, SENTENCE], check=True)
        (run,) = Path(out).iterdir()
        replay = [sys.executable, "-m", "embodied.app.cli.main", "replay", "--quiet", str(run)]
        subprocess.run(replay, check=True, stdout=subprocess.DEVNULL)
        with av.open(str(run / "replay.mp4")) as video:
            frames = [f.to_image().crop(CROP) for f in video.decode(video=0)]
    frames = [*frames[::EVERY], *[frames[-1]] * 8]
    palette = _palette(frames[0])
    small = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    small[0].save(
        TARGET, save_all=True, append_images=small[1:], duration=SHOW_MS, loop=0, optimize=True
    )
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size / 1024:.0f} KiB, {len(small)} frames\n")


def _palette(frame: Image.Image) -> Image.Image:
    """Colours for all frames; the few pixels of bright blocks weigh as much as the rest."""
    pixels = np.asarray(frame).reshape(-1, 3)
    spread = np.ptp(pixels.astype(int), axis=1)
    bright = pixels[spread > np.quantile(spread, 0.985)]
    both = np.concatenate([pixels, np.resize(bright, pixels.shape)])
    swatch = Image.fromarray(both.reshape(-1, frame.width, 3))
    return swatch.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
