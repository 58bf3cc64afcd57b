#include "output_stage.h"

/** Index of a pixel's channel in [class][channel] tables. */
static uint32_t entry_of(const mcubnn_output_stage *stage, uint32_t pixel, uint32_t channel) {
    const uint32_t row = stage->position_class == NULL ? 0u : stage->position_class[pixel];
    return (row * stage->channels) + channel;
}

/** One word: bit = (sum >= threshold) xor flip. */
static uint32_t threshold_word(const int32_t *thresholds, uint32_t flip, uint32_t count,
                               const int32_t *sums) {
    uint32_t word = 0u;
    for (uint32_t i = 0u; i < count; ++i) {
        const uint32_t reached = sums[i] >= thresholds[i] ? 1u : 0u;
        word |= reached << i;
    }
    return word ^ flip;
}

/** clamp((sum * multiplier + bias + 2^(shift-1)) >> shift, low, high). */
static int8_t requantize(const mcubnn_output_s8 *s8, uint32_t channel, int64_t bias, int32_t sum) {
    const int64_t half = INT64_C(1) << (s8->shift - 1u);
    const int64_t scaled = ((int64_t)sum * s8->multiplier[channel]) + bias + half;
    const int64_t value = mcubnn_shift_right_s64(scaled, s8->shift);
    if (value < s8->low[channel]) {
        return s8->low[channel];
    }
    return value > s8->high[channel] ? s8->high[channel] : (int8_t)value;
}

void mcubnn_output_stage_write(const mcubnn_output_stage *stage, uint32_t pixel,
                               uint32_t first_channel, uint32_t count, const int32_t *sums,
                               void *output) {
    const uint32_t channels = stage->channels;
    const uint32_t entry = entry_of(stage, pixel, first_channel);
    const uint32_t element = (pixel * channels) + first_channel; /* in the output */

    if (stage->kind == MCUBNN_OUTPUT_BITS) {
        const mcubnn_output_bits *bits = &stage->as.bits;
        const uint32_t word = first_channel / MCUBNN_WORD_BITS;
        uint32_t *words = (uint32_t *)output + (pixel * mcubnn_words_for(channels));
        words[word] = threshold_word(&bits->thresholds[entry], bits->flip[word], count, sums);
    } else if (stage->kind == MCUBNN_OUTPUT_S8) {
        const mcubnn_output_s8 *s8 = &stage->as.s8;
        int8_t *values = (int8_t *)output + element;
        for (uint32_t i = 0u; i < count; ++i) {
            values[i] = requantize(s8, first_channel + i, s8->bias[entry + i], sums[i]);
        }
    } else {
        const mcubnn_output_s32 *s32 = &stage->as.s32;
        int32_t *values = (int32_t *)output + element;
        for (uint32_t i = 0u; i < count; ++i) {
            values[i] = (sums[i] * s32->multiplier[first_channel + i]) + s32->bias[entry + i];
        }
    }
}

mcubnn_output_walk mcubnn_output_walk_of(const mcubnn_bit_max_pool_params *pool,
                                         const mcubnn_dims *map, void *output) {
    const mcubnn_output_walk walk = {
        .pool = pool,
        .map = map,
        .output = output,
        .rows = mcubnn_pool_rows(pool, map),
        .columns = mcubnn_pool_columns(pool, map),
    };
    mcubnn_pool_begin(pool, (uint32_t *)output);
    return walk;
}

void mcubnn_output_walk_write(const mcubnn_output_walk *walk, const mcubnn_output_stage *stage,
                              uint32_t first_channel, uint32_t count, const int32_t *sums) {
    const mcubnn_bit_max_pool_params *pool = walk->pool;
    const uint32_t pixel = (walk->rows.at * walk->map->width) + walk->columns.at;
    if (pool == NULL) {
        mcubnn_output_stage_write(stage, pixel, first_channel, count, sums, walk->output);
        return;
    }
    const mcubnn_output_bits *bits = &stage->as.bits;
    const uint32_t word = first_channel / MCUBNN_WORD_BITS;
    const int32_t *thresholds = &bits->thresholds[entry_of(stage, pixel, first_channel)];
    const uint32_t written = threshold_word(thresholds, bits->flip[word], count, sums);
    uint32_t *pooled =
        mcubnn_pool_target(pool, &walk->rows, &walk->columns, (uint32_t *)walk->output);
    pooled[word] = mcubnn_pool_word(pooled[word], written, mcubnn_pool_minimum(pool, word));
}
