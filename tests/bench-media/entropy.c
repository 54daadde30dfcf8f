/* The floor: libjpeg-turbo reads the entropy-coded coefficients of each photo and does nothing with them. */
#include <stdio.h>
#include <jpeglib.h>

int main(int count, char **names) {
  for (int i = 1; i < count; i++) {
    struct jpeg_decompress_struct photo;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(names[i], "rb");
    if (!file) return 1;
    photo.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&photo);
    jpeg_stdio_src(&photo, file);
    jpeg_read_header(&photo, TRUE);
    jpeg_read_coefficients(&photo);
    jpeg_destroy_decompress(&photo);
    fclose(file);
  }
  return 0;
}
