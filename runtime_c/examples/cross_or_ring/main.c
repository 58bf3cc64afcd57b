/* Tells a cross from a ring in a picture of 3x3 grey values, with one binary layer. */
#include <stdio.h>

#include "mcubnn/mcubnn.h"

enum {
    PIXELS = 9,
    CLASSES = 2
};

/* Step 1: a pixel of 128 or more becomes +1, a darker one -1. */
static const int32_t thresholds[PIXELS] = {128, 128, 128, 128, 128, 128, 128, 128, 128};
static const uint32_t no_flip[1] = {0u};
static const mcubnn_threshold_params binarize = {
    .input = {.height = 1, .width = 1, .channels = PIXELS},
    .input_type = MCUBNN_PIXEL_U8,
    .output_stage = {.kind = MCUBNN_OUTPUT_BITS,
                     .channels = PIXELS,
                     .as.bits = {.thresholds = thresholds, .flip = no_flip}},
};

/* Step 2: the score of a class is the number of pixels as in its template minus the others. */
static const uint32_t templates[CLASSES] = {
    0x155u, /* 101 010 101, a cross; bit 0 is the first pixel */
    0x1EFu, /* 111 101 111, a ring */
};
static const int32_t ones[CLASSES] = {1, 1};
static const int32_t zeros[CLASSES] = {0, 0};
static const mcubnn_binary_dense_params classify = {
    .input = {.height = 1, .width = 1, .channels = PIXELS},
    .weights = templates,
    .output_stage = {.kind = MCUBNN_OUTPUT_S32,
                     .channels = CLASSES,
                     .as.s32 = {.multiplier = ones, .bias = zeros}},
};

int main(void) {
    static const uint8_t picture[PIXELS] = {250, 30, 220, 10, 190, 40, 90, 0, 255};
    uint32_t bits[1];
    int32_t scores[CLASSES];

    if (mcubnn_threshold(NULL, &binarize, picture, bits) != MCUBNN_SUCCESS ||
        mcubnn_binary_dense(NULL, &classify, bits, scores) != MCUBNN_SUCCESS) {
        return 1;
    }
    printf("cross %ld, ring %ld: it is a %s\n", (long)scores[0], (long)scores[1],
           scores[0] >= scores[1] ? "cross" : "ring");
    return 0;
}
