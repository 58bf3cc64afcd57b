#include "pooled.h"

#include "bits.h"
#include "check.h"

void mcubnn_pool_begin(const mcubnn_bit_max_pool_params *pool, uint32_t *output) {
    if (pool == NULL) {
        return;
    }
    const uint32_t words = mcubnn_words_for(pool->output.channels);
    const uint32_t pixels = (uint32_t)pool->output.height * pool->output.width;
    for (uint32_t pixel = 0u; pixel < pixels; ++pixel) {
        for (uint32_t word = 0u; word < words; ++word) {
            *output = mcubnn_pool_minimum(pool, word);
            ++output;
        }
    }
}

/** Windows of one axis lie side by side and end where the map does. */
static bool windows_are_valid(uint32_t outputs, uint32_t kernel, uint32_t stride, uint32_t size) {
    return stride >= kernel && ((outputs - 1u) * stride) + kernel == size;
}

bool mcubnn_pool_is_valid(const mcubnn_bit_max_pool_params *pool, const mcubnn_dims *map) {
    if (pool == NULL) {
        return true;
    }
    const mcubnn_window *window = &pool->window;
    return mcubnn_geometry_is_valid(&pool->input, &pool->output, window) &&
           pool->input.height == map->height && pool->input.width == map->width &&
           pool->input.channels == map->channels && pool->output.channels == map->channels &&
           window->dilation_height == 1u && window->dilation_width == 1u && window->pad_top == 0u &&
           window->pad_left == 0u &&
           windows_are_valid(pool->output.height, window->kernel_height, window->stride_height,
                             map->height) &&
           windows_are_valid(pool->output.width, window->kernel_width, window->stride_width,
                             map->width);
}
