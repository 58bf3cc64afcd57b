#include "mcubnn/binary_conv2d_f2t.h"

#include "bits.h"
#include "check.h"
#include "f2t_core.h"
#include "pooled.h"

#define LANES MCUBNN_WORD_BITS
#define LEAST_PLANES (MCUBNN_F2T_LEAST_PLANES + 1u) /* of a threshold: its digit 0 is constant */
#define MOST_PLANES (MCUBNN_F2T_MOST_PLANES + 1u)

/** What a call works on. */
typedef struct {
    const mcubnn_binary_conv2d_f2t_params *params;
    uint32_t pitch;       /**< columns of the padded map: lanes from row to row */
    uint32_t lane_words;  /**< words of 32 lanes that hold all output pixels */
    uint32_t plane_words; /**< words of a channel's plane */
    uint32_t inputs;      /**< under a window */
    uint32_t counted;     /**< inputs rounded up to a multiple of 8 */
    uint32_t *planes;     /**< [channel][plane_words] */
    uint32_t *window;     /**< [tap][channel], for 32 lanes; zeros behind up to [counted] */
} job;

/** A walk over lanes, row by row. */
typedef struct {
    uint32_t row;
    uint32_t column;
} place;

/** Bits that a pixel of `channels` channels takes in a word, so that fewer need less work. */
static uint32_t bits_for(uint32_t channels) {
    if (channels <= 8u) {
        return 8u;
    }
    return channels <= 16u ? 16u : 32u;
}

static void make_job(job *j, const mcubnn_binary_conv2d_f2t_params *params) {
    const mcubnn_window *window = &params->window;
    const uint32_t last_row = (uint32_t)window->dilation_height * (window->kernel_height - 1u);
    const uint32_t last_column = (uint32_t)window->dilation_width * (window->kernel_width - 1u);
    const uint32_t taps = (uint32_t)window->kernel_height * window->kernel_width;
    j->params = params;
    j->pitch = params->output.width + last_column;
    const uint32_t lanes = ((params->output.height - 1u) * j->pitch) + params->output.width;
    j->lane_words = mcubnn_words_for(lanes);
    const uint32_t last = ((j->lane_words - 1u) * LANES) + (last_row * j->pitch) + last_column;
    j->plane_words = (last / LANES) + 2u;
    j->inputs = taps * params->input.channels;
    j->counted = (j->inputs + 7u) & ~7u;
}

/** The lanes from `at` to the end of its row, at most `most` of them. */
static uint32_t lanes_of_row(const job *j, const place *at, uint32_t most) {
    const uint32_t rest = j->pitch - at->column;
    return rest < most ? rest : most;
}

/** Step over lanes of one row. */
static void advance(const job *j, place *at, uint32_t lanes) {
    at->column += lanes;
    if (at->column == j->pitch) {
        at->column = 0u;
        ++at->row;
    }
}

/** Read one word of each of 32 pixels of the padded map.
 *
 *  @param input   the word of the map's first pixel
 *  @param outside the word of a pixel of padding
 *  @param at      place of the first pixel; advanced
 *  @param pixels  gets them in their order
 */
static void read_pixels(const job *j, const uint32_t *input, uint32_t outside, place *at,
                        uint32_t *pixels) {
    const mcubnn_dims map = j->params->input;
    const uint32_t words = mcubnn_words_for(map.channels);
    const uint32_t left = j->params->window.pad_left;
    uint32_t *const end = pixels + LANES;
    while (pixels != end) {
        const uint32_t lanes = lanes_of_row(j, at, (uint32_t)(end - pixels));
        const uint32_t row = at->row - j->params->window.pad_top; /* above the map: huge */
        uint32_t *const row_end = pixels + lanes;
        if (row < map.height && at->column < left + map.width) {
            const uint32_t padding = at->column < left ? left - at->column : 0u;
            for (uint32_t i = 0u; i < padding && pixels != row_end; ++i) {
                *pixels = outside;
                ++pixels;
            }
            const uint32_t column = at->column + padding - left;
            const uint32_t *pixel = input + (((row * map.width) + column) * words);
            for (uint32_t i = column; i < map.width && pixels != row_end; ++i) {
                *pixels = *pixel;
                ++pixels;
                pixel += words;
            }
        }
        for (; pixels != row_end; ++pixels) {
            *pixels = outside;
        }
        advance(j, at, lanes);
    }
}

/** Put the words that 32 pixels have, of so many bits, side by side into the first `bits`: pixel i
 *  goes to word i % bits, from bit i - i % bits on. */
static void fold(uint32_t *pixels, uint32_t bits) {
    for (uint32_t first = bits; first < LANES; first += bits) {
        for (uint32_t i = 0u; i < bits; ++i) {
            pixels[i] |= pixels[first + i] << first;
        }
    }
}

/** The inverse of fold(). */
static void unfold(uint32_t *pixels, uint32_t bits) {
    const uint32_t used = UINT32_MAX >> (LANES - bits);
    for (uint32_t first = LANES - bits; first != 0u; first -= bits) {
        for (uint32_t i = 0u; i < bits; ++i) {
            pixels[first + i] = (pixels[i] >> first) & used;
        }
    }
    for (uint32_t i = 0u; i < bits; ++i) {
        pixels[i] &= used;
    }
}

/** Turn the map into planes. */
static void fill_planes(const job *j, const uint32_t *input) {
    const uint32_t channels = j->params->input.channels;
    uint32_t *plane = j->planes;
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(channels, first);
        const uint32_t bits = bits_for(count);
        const uint32_t outside = j->params->pad_value > 0 ? UINT32_MAX >> (32u - count) : 0u;
        place at = {0u, 0u};
        for (uint32_t word = 0u; word < j->plane_words; ++word) {
            uint32_t pixels[LANES];
            read_pixels(j, input + (first / MCUBNN_WORD_BITS), outside, &at, pixels);
            fold(pixels, bits);
            mcubnn_transpose(pixels, bits);
            for (uint32_t i = 0u; i < count; ++i) {
                plane[(i * j->plane_words) + word] = pixels[i];
            }
        }
        plane += count * j->plane_words;
    }
}

/** Collect the inputs of 32 lanes: from each plane 32 bits that begin anywhere. */
static void fill_window(const job *j, uint32_t lane_word) {
    const mcubnn_window *window = &j->params->window;
    const uint32_t channels = j->params->input.channels;
    uint32_t *to = j->window;
    for (uint32_t y = 0u; y < window->kernel_height; ++y) {
        for (uint32_t x = 0u; x < window->kernel_width; ++x) {
            const uint32_t offset = (y * window->dilation_height * j->pitch) +
                                    (x * window->dilation_width) + (lane_word * LANES);
            const uint32_t *plane = j->planes + (offset / LANES);
            const uint32_t shift = offset % LANES;
            const uint32_t *const end = to + channels;
            for (; shift == 0u && to != end; ++to) {
                *to = plane[0];
                plane += j->plane_words;
            }
            for (; to != end; ++to) {
                *to = (plane[0] >> shift) | (plane[1] << (LANES - shift));
                plane += j->plane_words;
            }
        }
    }
}

/** The comparison's results in 32 lanes, each with the threshold of its class. */
static uint32_t compare(const job *j, const uint32_t *planes, uint32_t lane_word,
                        uint32_t channel) {
    const mcubnn_binary_conv2d_f2t_params *params = j->params;
    const uint32_t *thresholds = params->thresholds + channel;
    if (params->lanes == NULL) {
        return mcubnn_f2t_reached(planes, *thresholds, params->threshold_bits);
    }
    const uint32_t *lanes = params->lanes + lane_word;
    uint32_t result = 0u;
    for (uint32_t i = 0u; i < params->classes; ++i) {
        if (*lanes != 0u) {
            result |= *lanes & mcubnn_f2t_reached(planes, *thresholds, params->threshold_bits);
        }
        lanes += j->lane_words;
        thresholds += params->output.channels;
    }
    return result;
}

/** Fold a word of neighbouring pixels into the pool's output.
 *
 *  @param at      place of the first
 *  @param word    which word of a pixel
 *  @param results one for each pixel
 *  @param count   of pixels
 */
static void pool_pixels(const job *j, const place *at, uint32_t word, const uint32_t *results,
                        uint32_t count, uint32_t *output) {
    const mcubnn_bit_max_pool_params *pool = j->params->pool;
    const uint32_t minimum = mcubnn_pool_minimum(pool, word);
    mcubnn_pool_walk rows = mcubnn_pool_rows(pool, &j->params->output);
    mcubnn_pool_walk columns = mcubnn_pool_columns(pool, &j->params->output);
    mcubnn_pool_seek(&rows, at->row);
    mcubnn_pool_seek(&columns, at->column);
    if (rows.at != at->row) {
        return;
    }
    for (; columns.at < at->column + count; mcubnn_pool_step(&columns)) {
        uint32_t *pooled = mcubnn_pool_target(pool, &rows, &columns, output) + word;
        *pooled = mcubnn_pool_word(*pooled, results[columns.at - at->column], minimum);
    }
}

/** Write a word of the output pixels among 32 lanes.
 *
 *  @param at      place of the first
 *  @param word    which word of a pixel
 *  @param results [channel of the word], bit per lane; spent
 *  @param count   channels of the word
 */
static void write_pixels(const job *j, place at, uint32_t word, uint32_t *results, uint32_t count,
                         uint32_t *output) {
    const mcubnn_dims map = j->params->output;
    const uint32_t words = mcubnn_words_for(map.channels);
    const uint32_t bits = bits_for(count);
    const uint32_t *const end = results + LANES;
    mcubnn_transpose(results, bits);
    unfold(results, bits);
    while (results != end) {
        const uint32_t lanes = lanes_of_row(j, &at, (uint32_t)(end - results));
        const uint32_t *result = results;
        if (at.row >= map.height || at.column >= map.width) {
            /* between the rows of the map, or behind it */
        } else if (j->params->pool != NULL) {
            const uint32_t rest = map.width - at.column;
            pool_pixels(j, &at, word, results, rest < lanes ? rest : lanes, output);
        } else {
            uint32_t *pixel = output + ((((at.row * map.width) + at.column) * words) + word);
            for (uint32_t i = at.column; i < map.width && result != results + lanes; ++i) {
                *pixel = *result;
                ++result;
                pixel += words;
            }
        }
        results += lanes;
        advance(j, &at, lanes);
    }
}

/** What counters start with: 2^n - 1 - A for A set inputs, n being the digits without the last,
 *  which is 0. That is the complement of A.
 *
 *  @param list the list of all inputs
 *  @returns the end of the list
 */
static const uint16_t *count_unset(const job *j, const uint16_t *list, uint32_t *start) {
    const uint32_t last = j->params->threshold_bits - 1u;
    const uint32_t zeros[MCUBNN_F2T_MOST_PLANES] = {0u};
    mcubnn_f2t_sum(start, zeros, last, j->window, list, j->counted / 8u);
    for (uint32_t k = 0u; k < last; ++k) {
        start[k] = ~start[k];
    }
    start[last] = 0u;
    return list + j->counted;
}

/** Compute 32 lanes, the first of which is `at`. */
static void convolve(const job *j, uint32_t lane_word, place at, uint32_t *output) {
    const mcubnn_binary_conv2d_f2t_params *params = j->params;
    const uint32_t channels = params->output.channels;
    const uint32_t planes = params->threshold_bits;
    const uint16_t *list = params->lists;
    uint32_t start[MOST_PLANES];
    list = count_unset(j, list, start);
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(channels, first);
        const uint32_t inverted = params->inverted[first / MCUBNN_WORD_BITS];
        uint32_t results[LANES] = {0u};
        for (uint32_t i = 0u; i < count; ++i) {
            uint32_t counters[MOST_PLANES];
            const uint32_t eights = params->list_eights[first + i];
            counters[0] = start[0];
            mcubnn_f2t_sum(counters + 1, start + 1, planes - 1u, j->window, list, eights);
            list += 8u * eights;
            const uint32_t invert = 0u - ((inverted >> i) & 1u);
            results[i] = compare(j, counters, lane_word, first + i) ^ invert;
        }
        write_pixels(j, at, first / MCUBNN_WORD_BITS, results, count, output);
    }
}

static bool params_are_valid(const mcubnn_binary_conv2d_f2t_params *params) {
    const mcubnn_window *window = &params->window;
    const bool bits =
        params->threshold_bits >= LEAST_PLANES && params->threshold_bits <= MOST_PLANES;
    const bool tables = params->lists != NULL && params->list_eights != NULL &&
                        params->thresholds != NULL && params->inverted != NULL;
    const bool classes = params->lanes != NULL ? params->classes > 0u : params->classes == 1u;
    return mcubnn_geometry_is_valid(&params->input, &params->output, window) &&
           window->stride_height == 1u && window->stride_width == 1u && params->pad_value >= -1 &&
           params->pad_value <= 1 && bits && tables && classes &&
           mcubnn_pool_is_valid(params->pool, &params->output);
}

mcubnn_status mcubnn_binary_conv2d_f2t(const mcubnn_context *context,
                                       const mcubnn_binary_conv2d_f2t_params *params,
                                       const uint32_t *input, void *output) {
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    job j;
    make_job(&j, params);
    const uint32_t plane_words = j.plane_words * params->input.channels;
    if (context == NULL || context->buffer == NULL ||
        context->size_bytes / 4u < plane_words + j.counted + 1u) {
        return MCUBNN_ERROR_SCRATCH;
    }
    j.planes = (uint32_t *)context->buffer;
    j.window = j.planes + plane_words;
    for (uint32_t i = j.inputs; i <= j.counted; ++i) {
        j.window[i] = 0u;
    }
    fill_planes(&j, input);
    mcubnn_pool_begin(params->pool, (uint32_t *)output);
    for (uint32_t word = 0u; word < j.lane_words; ++word) {
        const uint32_t lane = word * LANES;
        const place at = {.row = lane / j.pitch, .column = lane % j.pitch};
        fill_window(&j, word);
        convolve(&j, word, at, (uint32_t *)output);
    }
    return MCUBNN_SUCCESS;
}
