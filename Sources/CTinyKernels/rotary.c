// The angles that heads are turned by.
#include "include/tiny_kernels.h"

#include <math.h>

void tk_rotary_angles(const float *frequencies, long pairs, long first, long count, float magnitude, float *cosines,
                      float *sines) {
    for (long t = 0; t < count; t++) {
        for (long i = 0; i < pairs; i++) {
            float angle = (float)(first + t) * frequencies[i];
            cosines[t * pairs + i] = (float)cos((double)angle) * magnitude;
            sines[t * pairs + i] = (float)sin((double)angle) * magnitude;
        }
    }
}
