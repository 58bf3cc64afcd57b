#include "check.h"

bool mcubnn_dims_are_valid(const mcubnn_dims *dims) {
    return dims->height > 0u && dims->width > 0u && dims->channels > 0u;
}

bool mcubnn_geometry_is_valid(const mcubnn_dims *input, const mcubnn_dims *output,
                              const mcubnn_window *window) {
    return mcubnn_dims_are_valid(input) && mcubnn_dims_are_valid(output) &&
           window->kernel_height > 0u && window->kernel_width > 0u && window->stride_height > 0u &&
           window->stride_width > 0u && window->dilation_height > 0u && window->dilation_width > 0u;
}

bool mcubnn_pixel_type_is_valid(mcubnn_pixel_type type) {
    return type == MCUBNN_PIXEL_U8 || type == MCUBNN_PIXEL_S8;
}

static bool bits_are_valid(const mcubnn_output_bits *bits) {
    return bits->thresholds != NULL && bits->flip != NULL;
}

static bool s8_is_valid(const mcubnn_output_s8 *s8) {
    return s8->multiplier != NULL && s8->bias != NULL && s8->low != NULL && s8->high != NULL &&
           s8->shift >= 1u && s8->shift <= 62u;
}

static bool s32_is_valid(const mcubnn_output_s32 *s32) {
    return s32->multiplier != NULL && s32->bias != NULL;
}

bool mcubnn_output_stage_is_valid(const mcubnn_output_stage *stage, uint32_t channels) {
    if (channels == 0u || stage->channels != channels) {
        return false;
    }
    switch (stage->kind) {
    case MCUBNN_OUTPUT_BITS:
        return bits_are_valid(&stage->as.bits);
    case MCUBNN_OUTPUT_S8:
        return s8_is_valid(&stage->as.s8);
    case MCUBNN_OUTPUT_S32:
        return s32_is_valid(&stage->as.s32);
    default:
        return false;
    }
}
