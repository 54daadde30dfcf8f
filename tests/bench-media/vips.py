"""Peer: libvips as a cascade, one thread, through pyvips. Arguments: folder, photos."""

import os
import sys

import pyvips

folder, *photos = sys.argv[1:]
for photo in photos:
    name = os.path.join(folder, os.path.splitext(os.path.basename(photo))[0])
    image = None
    for size in (1600, 480, 160):
        options = {"height": size, "size": "down"}
        if image is None:
            image = pyvips.Image.thumbnail(photo, size, **options)
        else:
            image = image.thumbnail_image(size, **options)
        image = image.copy_memory()
        image.jpegsave(f"{name}-{size}.jpg", Q=80, optimize_coding=True, strip=True)
