/** @file mps2.h
 *  The registers that mps2.c uses, from the Cortex-M System Design Kit reference manual
 *  (Arm DDI 0479) and the application notes AN385, AN386 and AN500 for the addresses.
 */
#ifndef MCUBNN_MPS2_H
#define MCUBNN_MPS2_H

#include <stdint.h>

/** APB UART. */
typedef struct {
    volatile uint32_t DATA;
    volatile uint32_t STATE;
    volatile uint32_t CTRL;
    volatile uint32_t INTSTATUS;
    volatile uint32_t BAUDDIV; /**< clock / baud; at least 16 */
} mps2_uart;

#define MPS2_UART_STATE_TX_FULL (1u << 0)
#define MPS2_UART_STATE_RX_FULL (1u << 1)
#define MPS2_UART_CTRL_TX_ENABLE (1u << 0)
#define MPS2_UART_CTRL_RX_ENABLE (1u << 1)
#define MPS2_UART_CTRL_RX_INTERRUPT (1u << 3)
#define MPS2_UART_INTSTATUS_RX (1u << 1) /**< write 1 to clear */

/** APB timer: counts down from RELOAD at the system clock. */
typedef struct {
    volatile uint32_t CTRL;
    volatile uint32_t VALUE;
    volatile uint32_t RELOAD;
} mps2_timer;

#define MPS2_TIMER_CTRL_ENABLE (1u << 0)

/** Interrupt 0 of the core's interrupt controller. */
#define MPS2_UART0_RX_INTERRUPT (1u << 0)
#define MPS2_NVIC_ENABLE (*(volatile uint32_t *)0xE000E100u)
#define MPS2_NVIC_CLEAR_PENDING (*(volatile uint32_t *)0xE000E280u) /**< write 1 to clear */

#define MPS2_TIMER0 ((mps2_timer *)0x40000000u)
#define MPS2_UART0 ((mps2_uart *)0x40004000u)

#endif
