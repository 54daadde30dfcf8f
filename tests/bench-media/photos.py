"""Makes the bench's photos: real pictures from Debian's mate-backgrounds and PyPI's scikit-image, brought to the pixels
of a phone, with its orientation and place. Arguments: folder, scikit-image's wheel."""

import io
import os
import sys
import zipfile

from PIL import Image, ImageOps

MATE = "/usr/share/backgrounds/mate"
NATURE = ["Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm",
          "TwoWings", "Wood", "YellowFlower"]
SCIKIT = ["astronaut.png", "brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "rocket.jpg"]
# How many 48 MP photos: each is read several times.
LARGE = 5

folder, wheel = sys.argv[1:]


def sources():
    yield "Elephants", Image.open(f"{MATE}/abstract/Elephants_5640x3172.jpg")
    for name in NATURE:
        yield name, Image.open(f"{MATE}/nature/{name}.jpg")
    with zipfile.ZipFile(wheel) as files:
        for name in SCIKIT:
            yield os.path.splitext(name)[0], Image.open(io.BytesIO(files.read(f"skimage/data/{name}")))


def tiled(image, width, height):
    """Enlarged at most by half, for blown-up pictures cost less than photos; the rest of the frame is mirrored."""
    scale = min(1.5, max(width / image.width, height / image.height))
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    frame = Image.new("RGB", (width, height))
    for row in range(-(-height // image.height)):
        for column in range(-(-width // image.width)):
            tile = ImageOps.mirror(image) if column % 2 else image
            tile = ImageOps.flip(tile) if row % 2 else tile
            frame.paste(tile, (column * image.width, row * image.height))
    return frame


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "Bench"
    block.get_ifd(0x8769)[0x9003] = "2026:03:05 14:30:15"
    block.get_ifd(0x8825).update({1: "S", 2: (1.0, 17.0, 24.0), 3: "E", 4: (36.0, 49.0, 12.0)})
    return block


for number, (name, image) in enumerate(sources()):
    image = image.convert("RGB")
    orientation = [1, 6, 3, 8][number % 4]
    for kind, width, height in [("12", 4000, 3000)] + [("48", 8000, 6000)] * (number < LARGE):
        path = f"{folder}/{kind}-{name}-o{orientation}.jpg"
        if not os.path.exists(path):
            # As phones write them: baseline, 4:2:0, the usual tables.
            tiled(image, width, height).save(path + ".part", "JPEG", quality=92, subsampling="4:2:0", exif=exif(orientation))
            os.rename(path + ".part", path)
