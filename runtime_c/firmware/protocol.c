/** @file protocol.c
 *  Framing and requests of docs/PROTOCOL.md.
 *
 *  An input goes from the port straight into the model's input tensor: there is no second buffer.
 *  Bytes are added to the CRC as they arrive, because a pause of a whole image would overrun a
 *  UART that has no FIFO.
 */
#include "protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crc32.h"
#include "firmware_model.h"
#include "mcubnn/types.h"
#include "port.h"

#if defined(__BYTE_ORDER__) && (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
#error "scores and tensors are sent as they lie in memory, which must be little endian"
#endif

#define SYNC_0 0xB1u
#define SYNC_1 0x4Eu
#define HEADER_BYTES 9u /* sync 2, type 1, sequence 2, length 4 */
#define SYNC_BYTES 2u
#define CRC_BYTES 4u
#define NODE_INDEX_BYTES 2u
#define HELLO_FIXED_BYTES 24u
#define ERROR_BYTES 6u
#define PROFILE_FIXED_BYTES 8u

typedef enum {
    REQUEST_HELLO = 0x01,
    REQUEST_RUN = 0x02,
    REQUEST_TRACE = 0x03,
    REQUEST_PROFILE = 0x04,
    REPLY_HELLO = 0x81,
    REPLY_RESULT = 0x82,
    REPLY_TENSOR = 0x83,
    REPLY_TICKS = 0x84,
    REPLY_ERROR = 0xFF
} frame_type;

typedef enum {
    ERROR_NONE = 0,
    ERROR_TYPE = 1,   /* detail: the type */
    ERROR_LENGTH = 2, /* detail: the length this model expects */
    ERROR_CRC = 3,    /* detail: 0 */
    ERROR_NODE = 4,   /* detail: number of nodes */
    ERROR_KERNEL = 5  /* detail: mcubnn_status */
} error_code;

typedef struct {
    uint8_t type;
    uint16_t sequence;
    uint32_t length_bytes;
} request;

typedef struct {
    const uint8_t *data;
    uint32_t length_bytes;
} span;

/** The next bytes of the input in which a header is looked for. */
typedef struct {
    uint8_t bytes[HEADER_BYTES];
    uint32_t filled_bytes;
} header_window;

static uint16_t get_u16(const uint8_t *from) {
    return (uint16_t)((uint32_t)from[0] | ((uint32_t)from[1] << 8));
}

static uint32_t get_u32(const uint8_t *from) {
    return (uint32_t)get_u16(from) | ((uint32_t)get_u16(from + 2) << 16);
}

static void put_u16(uint8_t *to, uint16_t value) {
    to[0] = (uint8_t)(value & 0xFFu);
    to[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *to, uint32_t value) {
    put_u16(to, (uint16_t)(value & 0xFFFFu));
    put_u16(to + 2, (uint16_t)(value >> 16));
}

/** Extends a CRC by a block. */
static uint32_t crc_of(uint32_t crc, span block) {
    for (uint32_t i = 0u; i < block.length_bytes; i++) {
        crc = mcubnn_crc32(crc, block.data[i]);
    }
    return crc;
}

/** Sends one frame whose payload is two blocks. */
static void send_frame(frame_type type, uint16_t sequence, span first, span second) {
    uint8_t header[HEADER_BYTES] = {SYNC_0, SYNC_1, (uint8_t)type};
    put_u16(&header[3], sequence);
    put_u32(&header[5], first.length_bytes + second.length_bytes);
    const span checked_header = {&header[SYNC_BYTES], HEADER_BYTES - SYNC_BYTES};
    const uint32_t crc = crc_of(crc_of(crc_of(0u, checked_header), first), second);
    uint8_t tail[CRC_BYTES];
    put_u32(tail, crc);

    mcubnn_port_write(header, HEADER_BYTES);
    mcubnn_port_write(first.data, first.length_bytes);
    mcubnn_port_write(second.data, second.length_bytes);
    mcubnn_port_write(tail, CRC_BYTES);
}

static void send_error(uint16_t sequence, error_code code, int32_t detail) {
    uint8_t payload[ERROR_BYTES];
    put_u16(payload, (uint16_t)code);
    put_u32(&payload[2], (uint32_t)detail);
    send_frame(REPLY_ERROR, sequence, (span){payload, ERROR_BYTES}, (span){payload, 0u});
}

static void send_hello(uint16_t sequence) {
    static const uint8_t names[] = MODEL_NAME "\0" MODEL_BOARD;
    uint8_t fixed[HELLO_FIXED_BYTES] = {0};
    put_u16(&fixed[0], MCUBNN_PROTOCOL_VERSION);
    put_u16(&fixed[2], MCUBNN_ABI_VERSION);
    put_u32(&fixed[4], MODEL_HASH);
    fixed[8] = (uint8_t)MODEL_INPUT_TYPE;
    put_u16(&fixed[10], MODEL_INPUT_HEIGHT);
    put_u16(&fixed[12], MODEL_INPUT_WIDTH);
    put_u16(&fixed[14], MODEL_INPUT_CHANNELS);
    put_u32(&fixed[16], MODEL_OUTPUT_COUNT);
    put_u32(&fixed[20], MODEL_NODE_COUNT);
    const span text = {names, (uint32_t)sizeof(names)};
    send_frame(REPLY_HELLO, sequence, (span){fixed, HELLO_FIXED_BYTES}, text);
}

static void run_model(uint16_t sequence) {
    const uint32_t start_ticks = mcubnn_port_ticks();
    const mcubnn_status status = model_invoke();
    const uint32_t ticks = mcubnn_port_ticks() - start_ticks;
    if (status != MCUBNN_SUCCESS) {
        send_error(sequence, ERROR_KERNEL, (int32_t)status);
        return;
    }
    uint8_t taken[4];
    put_u32(taken, ticks);
    const uint32_t score_bytes = (uint32_t)MODEL_OUTPUT_COUNT * (uint32_t)sizeof(int32_t);
    const span scores = {(const uint8_t *)model_output(), score_bytes};
    send_frame(REPLY_RESULT, sequence, (span){taken, sizeof(taken)}, scores);
}

static void trace_node(uint16_t sequence, uint32_t last_node) {
    if (last_node >= (uint32_t)MODEL_NODE_COUNT) {
        send_error(sequence, ERROR_NODE, (int32_t)MODEL_NODE_COUNT);
        return;
    }
    for (uint32_t node = 0u; node <= last_node; node++) {
        const mcubnn_status status = model_run_node(node);
        if (status != MCUBNN_SUCCESS) {
            send_error(sequence, ERROR_KERNEL, (int32_t)status);
            return;
        }
    }
    uint32_t size_bytes = 0u;
    const uint8_t *data = model_node_result(last_node, &size_bytes);
    send_frame(REPLY_TENSOR, sequence, (span){data, size_bytes}, (span){data, 0u});
}

/** Ticks between two readings of the counter with nothing between them. */
static uint32_t empty_measurement(void) {
    const uint32_t start_ticks = mcubnn_port_ticks();
    return mcubnn_port_ticks() - start_ticks;
}

static void profile_model(uint16_t sequence) {
    uint32_t node_ticks[MODEL_NODE_COUNT];
    for (uint32_t node = 0u; node < (uint32_t)MODEL_NODE_COUNT; node++) {
        const uint32_t start_ticks = mcubnn_port_ticks();
        const mcubnn_status status = model_run_node(node);
        node_ticks[node] = mcubnn_port_ticks() - start_ticks;
        if (status != MCUBNN_SUCCESS) {
            send_error(sequence, ERROR_KERNEL, (int32_t)status);
            return;
        }
    }
    uint8_t fixed[PROFILE_FIXED_BYTES];
    put_u32(&fixed[0], mcubnn_port_tick_hz());
    put_u32(&fixed[4], empty_measurement());
    const span taken = {(const uint8_t *)node_ticks, (uint32_t)sizeof(node_ticks)};
    send_frame(REPLY_TICKS, sequence, (span){fixed, PROFILE_FIXED_BYTES}, taken);
}

/** Checks a header before anything is stored.
 *  @param detail what the ERROR reply says: the length this type must have, or the unknown type.
 */
static error_code check_request(const request *asked, uint32_t *detail) {
    switch (asked->type) {
    case REQUEST_HELLO:
        *detail = 0u;
        break;
    case REQUEST_RUN:
    case REQUEST_PROFILE:
        *detail = (uint32_t)MODEL_INPUT_BYTES;
        break;
    case REQUEST_TRACE:
        *detail = NODE_INDEX_BYTES + (uint32_t)MODEL_INPUT_BYTES;
        break;
    default:
        *detail = asked->type;
        return ERROR_TYPE;
    }
    return (asked->length_bytes == *detail) ? ERROR_NONE : ERROR_LENGTH;
}

/** Stores the next bytes of the input and adds them to the CRC; false at the end of input. */
static bool receive(uint8_t *to, uint32_t length_bytes, uint32_t *crc) {
    for (uint32_t i = 0u; i < length_bytes; i++) {
        const int32_t value = mcubnn_port_read();
        if (value < 0) {
            return false;
        }
        to[i] = (uint8_t)value;
        *crc = mcubnn_crc32(*crc, to[i]);
    }
    return true;
}

/** Receives payload and CRC after an accepted header and answers; false at the end of input. */
static bool answer(const request *asked, const header_window *window) {
    const span checked_header = {&window->bytes[SYNC_BYTES], HEADER_BYTES - SYNC_BYTES};
    uint32_t crc = crc_of(0u, checked_header);
    uint8_t node_index[NODE_INDEX_BYTES] = {0};
    uint8_t tail[CRC_BYTES];
    uint32_t tail_crc = 0u; /* the CRC does not cover itself */

    const bool has_node = asked->type == REQUEST_TRACE;
    const bool has_input = asked->type != REQUEST_HELLO;
    if (!receive(node_index, has_node ? NODE_INDEX_BYTES : 0u, &crc) ||
        !receive(model_input(), has_input ? (uint32_t)MODEL_INPUT_BYTES : 0u, &crc) ||
        !receive(tail, CRC_BYTES, &tail_crc)) {
        return false;
    }
    if (get_u32(tail) != crc) {
        send_error(asked->sequence, ERROR_CRC, 0);
    } else if (has_node) {
        trace_node(asked->sequence, get_u16(node_index));
    } else if (asked->type == REQUEST_PROFILE) {
        profile_model(asked->sequence);
    } else if (has_input) {
        run_model(asked->sequence);
    } else {
        send_hello(asked->sequence);
    }
    return true;
}

/** Completes the window from the input; false at the end of input. */
static bool fill_window(header_window *window) {
    uint32_t unused_crc = 0u;
    const uint32_t missing_bytes = HEADER_BYTES - window->filled_bytes;
    if (!receive(&window->bytes[window->filled_bytes], missing_bytes, &unused_crc)) {
        return false;
    }
    window->filled_bytes = HEADER_BYTES;
    return true;
}

/** Forgets the first byte: a frame may start at any later one, even inside a refused header. */
static void drop_first_byte(header_window *window) {
    for (uint32_t i = 1u; i < HEADER_BYTES; i++) {
        window->bytes[i - 1u] = window->bytes[i];
    }
    window->filled_bytes = HEADER_BYTES - 1u;
}

void mcubnn_protocol_serve(void) {
    header_window window = {.filled_bytes = 0u};
    while (fill_window(&window)) {
        if ((window.bytes[0] != SYNC_0) || (window.bytes[1] != SYNC_1)) {
            drop_first_byte(&window);
            continue;
        }
        const request asked = {
            .type = window.bytes[2],
            .sequence = get_u16(&window.bytes[3]),
            .length_bytes = get_u32(&window.bytes[5]),
        };
        uint32_t detail = 0u;
        const error_code refusal = check_request(&asked, &detail);
        if (refusal != ERROR_NONE) {
            send_error(asked.sequence, refusal, (int32_t)detail);
            drop_first_byte(&window);
            continue;
        }
        if (!answer(&asked, &window)) {
            return;
        }
        window.filled_bytes = 0u;
    }
}
