"""Peer: Pillow with draft mode, as a cascade. Arguments: folder, photos."""

import os
import sys

from PIL import Image, ImageOps

folder, *photos = sys.argv[1:]
for photo in photos:
    name = os.path.join(folder, os.path.splitext(os.path.basename(photo))[0])
    image = Image.open(photo)
    image.draft("RGB", (1600, 1600))
    image = ImageOps.exif_transpose(image)
    for size in (1600, 480, 160):
        scale = size / max(image.size)
        image = image.resize([round(side * scale) for side in image.size], Image.Resampling.LANCZOS)
        image.save(f"{name}-{size}.jpg", quality=80, subsampling="4:2:0", optimize=True, exif=b"", icc_profile=None)
