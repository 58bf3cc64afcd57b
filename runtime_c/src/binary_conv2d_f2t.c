#include "mcubnn/binary_conv2d_f2t.h"

#include "bits.h"
#include "check.h"
#include "full_adders.h"

#define LANES MCUBNN_WORD_BITS
#define LEAST_PLANES 5u
#define MOST_PLANES 20u

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

static inline void next_lane(place *at, uint32_t pitch) {
    ++at->column;
    if (at->column == pitch) {
        at->column = 0u;
        ++at->row;
    }
}

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

/** Read one word of each of 32 pixels of the padded map.
 *
 *  @param input   the word of the map's first pixel
 *  @param outside the word of a pixel of padding
 *  @param at      place of the first pixel; advanced
 *  @param bits    that the channels take
 *  @param pixels  gets pixel i in word i % bits, from bit i - i % bits on
 */
static void read_pixels(const job *j, const uint32_t *input, uint32_t outside, place *at,
                        uint32_t bits, uint32_t *pixels) {
    const mcubnn_dims map = j->params->input;
    const uint32_t words = mcubnn_words_for(map.channels);
    const uint32_t top = j->params->window.pad_top;
    const uint32_t left = j->params->window.pad_left;
    const uint32_t pitch = j->pitch;
    place next = *at;
    for (uint32_t i = 0u; i < bits; ++i) {
        pixels[i] = 0u;
    }
    for (uint32_t shift = 0u; shift < LANES; shift += bits) {
        for (uint32_t i = 0u; i < bits; ++i) {
            const uint32_t row = next.row - top; /* above the map: huge */
            const uint32_t column = next.column - left;
            uint32_t pixel = outside;
            if (row < map.height && column < map.width) {
                pixel = input[((row * map.width) + column) * words];
            }
            pixels[i] |= pixel << shift;
            next_lane(&next, pitch);
        }
    }
    *at = next;
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
            read_pixels(j, input + (first / MCUBNN_WORD_BITS), outside, &at, bits, pixels);
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
            for (uint32_t channel = 0u; channel < channels; ++channel) {
                *to = (plane[0] >> shift) | ((plane[1] << 1u) << (31u - shift));
                ++to;
                plane += j->plane_words;
            }
        }
    }
}

/** Where words to add come from. */
typedef struct {
    const uint32_t *words;
    const uint16_t *list; /**< their numbers, or NULL for all of them in order */
    uint32_t eights;      /**< how many there are / 8, at least 1 */
    uint32_t invert;      /**< all ones to add the complements, else 0 */
} terms;

/** The words `first` and `first` + 1 of some terms. */
static inline mcubnn_pair pair_of(const terms *from, uint32_t first) {
    const uint16_t *list = from->list;
    const uint32_t x = from->words[list != NULL ? list[first] : first] ^ from->invert;
    const uint32_t y = from->words[list != NULL ? list[first + 1u] : first + 1u];
    return (mcubnn_pair){.first = x, .differ = x ^ y ^ from->invert};
}

/** Eight words to the planes of weight 1 and 2: the carries of weight 4. */
static inline mcubnn_pair add_eight(uint32_t *ones, uint32_t *twos, const terms *from,
                                    uint32_t begin) {
    const mcubnn_pair a = mcubnn_add_pairs(ones, pair_of(from, begin), pair_of(from, begin + 2u));
    const mcubnn_pair b =
        mcubnn_add_pairs(ones, pair_of(from, begin + 4u), pair_of(from, begin + 6u));
    return mcubnn_add_pairs(twos, a, b);
}

/** Let a carry ripple through planes. */
static inline void ripple(uint32_t *planes, const uint32_t *before, uint32_t count,
                          uint32_t carry) {
    for (uint32_t k = 4u; k < count; ++k) {
        const uint32_t plane = before[k];
        planes[k] = plane ^ carry;
        carry &= plane;
    }
}

/** Add words to counters.
 *
 *  @param counters planes of the result, lowest first
 *  @param start    planes of the counters before
 *  @param count    number of planes, at least 4
 *  @param from     the words
 */
static inline void add_words(uint32_t *counters, const uint32_t *start, uint32_t count,
                             terms from) {
    uint32_t ones = start[0];
    uint32_t twos = start[1];
    uint32_t fours = start[2];
    uint32_t eights = start[3];
    if (from.eights % 2u != 0u) {
        const mcubnn_pair carries = add_eight(&ones, &twos, &from, 0u);
        const uint32_t carry = mcubnn_add_pair(&fours, carries);
        ripple(counters, start, count, mcubnn_add_word(&eights, carry));
        start = counters;
        from.list = from.list != NULL ? from.list + 8 : NULL;
        from.words = from.list != NULL ? from.words : from.words + 8;
    }
    for (uint32_t sixteens = from.eights / 2u; sixteens != 0u; --sixteens) {
        const mcubnn_pair first = add_eight(&ones, &twos, &from, 0u);
        const mcubnn_pair second = add_eight(&ones, &twos, &from, 8u);
        const mcubnn_pair carries = mcubnn_add_pairs(&fours, first, second);
        ripple(counters, start, count, mcubnn_add_pair(&eights, carries));
        start = counters;
        from.list = from.list != NULL ? from.list + 16 : NULL;
        from.words = from.list != NULL ? from.words : from.words + 16;
    }
    counters[0] = ones;
    counters[1] = twos;
    counters[2] = fours;
    counters[3] = eights;
}

/** The lanes whose number in the planes is at least the threshold, given its complement: the carry
 *  out of the sum of both and 1, from bit to bit the majority of both bits and the carry. */
static uint32_t reached(const uint32_t *planes, uint32_t complement, uint32_t count) {
    uint32_t carry = UINT32_MAX;
    for (uint32_t k = 0u; k < count; ++k) {
        carry = (complement & 1u) != 0u ? carry | planes[k] : carry & planes[k];
        complement >>= 1u;
    }
    return carry;
}

/** The comparison's results in 32 lanes, each with the threshold of its class. */
static uint32_t compare(const job *j, const uint32_t *planes, uint32_t lane_word,
                        uint32_t channel) {
    const mcubnn_binary_conv2d_f2t_params *params = j->params;
    const uint32_t *thresholds = params->thresholds + channel;
    if (params->lanes == NULL) {
        return reached(planes, *thresholds, params->threshold_bits);
    }
    const uint32_t *lanes = params->lanes + lane_word;
    uint32_t result = 0u;
    for (uint32_t i = 0u; i < params->classes; ++i) {
        if (*lanes != 0u) {
            result |= *lanes & reached(planes, *thresholds, params->threshold_bits);
        }
        lanes += j->lane_words;
        thresholds += params->output.channels;
    }
    return result;
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
    const uint32_t pitch = j->pitch;
    const uint32_t words = mcubnn_words_for(map.channels);
    const uint32_t bits = bits_for(count);
    const uint32_t used = UINT32_MAX >> (32u - bits);
    const uint32_t column = at.column < map.width ? at.column : map.width; /* else next row's */
    uint32_t *pixel = output + (((at.row * map.width) + column) * words) + word;
    mcubnn_transpose(results, bits);
    for (uint32_t shift = 0u; shift < LANES; shift += bits) {
        for (uint32_t i = 0u; i < bits; ++i) {
            if (at.column < map.width && at.row < map.height) {
                *pixel = (results[i] >> shift) & used;
                pixel += words;
            }
            next_lane(&at, pitch);
        }
    }
}

/** Compute 32 lanes, the first of which is `at`. */
static void convolve(const job *j, uint32_t lane_word, place at, uint32_t *output) {
    const mcubnn_binary_conv2d_f2t_params *params = j->params;
    const uint32_t channels = params->output.channels;
    const uint32_t planes = params->threshold_bits;
    const uint16_t *list = params->lists;
    const uint32_t none[MOST_PLANES] = {0u};
    uint32_t unset[MOST_PLANES];
    const terms all = {j->window, NULL, j->counted / 8u, UINT32_MAX};
    add_words(unset, none, planes, all);
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(channels, first);
        const uint32_t inverted = params->inverted[first / MCUBNN_WORD_BITS];
        uint32_t results[LANES] = {0u};
        for (uint32_t i = 0u; i < count; ++i) {
            uint32_t counters[MOST_PLANES];
            const terms listed = {j->window, list, params->list_eights[first + i], 0u};
            counters[0] = unset[0];
            add_words(counters + 1, unset + 1, planes - 1u, listed);
            list += 8u * listed.eights;
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
           params->pad_value <= 1 && bits && tables && classes;
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
    place at = {0u, 0u};
    for (uint32_t word = 0u; word < j.lane_words; ++word) {
        fill_window(&j, word);
        convolve(&j, word, at, (uint32_t *)output);
        for (uint32_t lane = 0u; lane < LANES; ++lane) {
            next_lane(&at, j.pitch);
        }
    }
    return MCUBNN_SUCCESS;
}
