// Pixels of the tests' screens. Formats go by their numbers in wl_shm.
#pragma once

#include <stdint.h>

int bytes_per_pixel(uint32_t format);
// A colour, 0xRRGGBB, as the little-endian word of a format.
uint32_t encode_pixel(uint32_t format, uint32_t colour);
// The colour of a pixel of noise, another one for each seed.
uint32_t noise_pixel(uint32_t x, uint32_t y, uint32_t seed);
// Where a pixel of an upright picture of that size lies in a buffer turned by enum wl_output.transform.
void place_pixel(int width, int height, int transform, int *x, int *y);
