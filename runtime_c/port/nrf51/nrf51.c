/** @file nrf51.c
 *  Port for the nRF51822 of the BBC micro:bit: 16 MHz, UART0 on the interface chip's COM port.
 *
 *  A Cortex-M0 has no cycle counter; TIMER0 counts the same 16 MHz that clock the core.
 */
#include "nrf51.h"
#include "port.h"

/* The micro:bit's pins, as seen from the nRF51. */
#define PIN_TXD 24u
#define PIN_RXD 25u

_Static_assert(MCUBNN_CORE_CLOCK_HZ == 16000000, "the nRF51 runs at 16 MHz");

/** Use the crystal: the internal oscillator is too inaccurate for a UART. */
static void start_clock(void) {
    NRF51_CLOCK_EVENTS_HFCLKSTARTED = 0u;
    NRF51_CLOCK_TASKS_HFCLKSTART = NRF51_TASK_START;
    while (NRF51_CLOCK_EVENTS_HFCLKSTARTED == 0u) {
    }
}

/** BAUDRATE counts 2^32 per 16 MHz; the hardware uses the upper 20 bits. */
static uint32_t baud_register(void) {
    const uint64_t steps = ((uint64_t)MCUBNN_PORT_BAUD << 32) / MCUBNN_CORE_CLOCK_HZ;
    return ((uint32_t)steps + 0x800u) & 0xFFFFF000u;
}

static void start_uart(void) {
    NRF51_GPIO_OUTSET = 1u << PIN_TXD; /* an idle line is high */
    NRF51_GPIO_PIN_CNF(PIN_TXD) = NRF51_GPIO_PIN_CNF_OUTPUT;
    NRF51_GPIO_PIN_CNF(PIN_RXD) = NRF51_GPIO_PIN_CNF_INPUT;
    NRF51_UART0_PSELTXD = PIN_TXD;
    NRF51_UART0_PSELRXD = PIN_RXD;
    NRF51_UART0_BAUDRATE = baud_register();
    NRF51_UART0_ENABLE = NRF51_UART_ENABLE_ENABLED;
    NRF51_UART0_EVENTS_RXDRDY = 0u;
    NRF51_UART0_EVENTS_TXDRDY = 0u;
    NRF51_UART0_TASKS_STARTRX = NRF51_TASK_START;
    NRF51_UART0_TASKS_STARTTX = NRF51_TASK_START;
}

static void start_timer(void) {
    NRF51_TIMER0_BITMODE = NRF51_TIMER_BITMODE_32;
    NRF51_TIMER0_PRESCALER = 0u;
    NRF51_TIMER0_TASKS_CLEAR = NRF51_TASK_START;
    NRF51_TIMER0_TASKS_START = NRF51_TASK_START;
}

void mcubnn_port_init(void) {
    start_clock();
    start_timer();
    start_uart();
}

int32_t mcubnn_port_read(void) {
    while (NRF51_UART0_EVENTS_RXDRDY == 0u) {
    }
    /* Clear first: reading RXD moves the next byte of the FIFO up, which sets the event again. */
    NRF51_UART0_EVENTS_RXDRDY = 0u;
    return (int32_t)(NRF51_UART0_RXD & 0xFFu);
}

void mcubnn_port_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0u; i < length; i++) {
        NRF51_UART0_TXD = data[i];
        while (NRF51_UART0_EVENTS_TXDRDY == 0u) {
        }
        NRF51_UART0_EVENTS_TXDRDY = 0u;
    }
}

uint32_t mcubnn_port_ticks(void) {
    NRF51_TIMER0_TASKS_CAPTURE_0 = NRF51_TASK_START;
    return NRF51_TIMER0_CC_0;
}

uint32_t mcubnn_port_tick_hz(void) {
    return MCUBNN_CORE_CLOCK_HZ;
}
