/** @file mps2.c
 *  Port for Arm's MPS2 FPGA images AN385, AN386 and AN500, which QEMU emulates.
 *
 *  The ticks come from an APB timer: SysTick has only 24 bits and QEMU has no DWT counter.
 *
 *  While nothing arrives the core sleeps, because an emulated core that polls takes a core of the
 *  host, and the emulator's own lock with every access. The receive interrupt wakes it; interrupts
 *  are masked, so that no handler runs.
 */
#include "mps2.h"
#include "port.h"

void mcubnn_port_init(void) {
    MPS2_UART0->BAUDDIV = MCUBNN_CORE_CLOCK_HZ / MCUBNN_PORT_BAUD;
    MPS2_UART0->CTRL =
        MPS2_UART_CTRL_TX_ENABLE | MPS2_UART_CTRL_RX_ENABLE | MPS2_UART_CTRL_RX_INTERRUPT;
    __asm__ volatile("cpsid i" ::: "memory");
    MPS2_NVIC_ENABLE = MPS2_UART0_RX_INTERRUPT;
    (void)MPS2_UART0->DATA; /* QEMU asks its line for bytes only after a first read */
    MPS2_TIMER0->RELOAD = UINT32_MAX;
    MPS2_TIMER0->VALUE = UINT32_MAX;
    MPS2_TIMER0->CTRL = MPS2_TIMER_CTRL_ENABLE;
}

int32_t mcubnn_port_read(void) {
    while ((MPS2_UART0->STATE & MPS2_UART_STATE_RX_FULL) == 0u) {
        MPS2_UART0->INTSTATUS = MPS2_UART_INTSTATUS_RX;
        MPS2_NVIC_CLEAR_PENDING = MPS2_UART0_RX_INTERRUPT;
        if ((MPS2_UART0->STATE & MPS2_UART_STATE_RX_FULL) == 0u) {
            __asm__ volatile("wfi" ::: "memory"); /* a byte since the clearing wakes at once */
        }
    }
    return (int32_t)(MPS2_UART0->DATA & 0xFFu);
}

void mcubnn_port_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0u; i < length; i++) {
        while ((MPS2_UART0->STATE & MPS2_UART_STATE_TX_FULL) != 0u) {
        }
        MPS2_UART0->DATA = data[i];
    }
}

uint32_t mcubnn_port_ticks(void) {
    return UINT32_MAX - MPS2_TIMER0->VALUE;
}

uint32_t mcubnn_port_tick_hz(void) {
    return MCUBNN_CORE_CLOCK_HZ;
}
