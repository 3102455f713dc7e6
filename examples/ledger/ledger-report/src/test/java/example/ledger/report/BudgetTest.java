package example.ledger.report;

import static example.ledger.report.ReportAssertions.assertFails;
import static example.ledger.report.ReportAssertions.assertMoney;
import static example.ledger.report.StatementFixture.euros;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.ledger.LedgerException;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import org.junit.jupiter.api.Test;

class BudgetTest {

    private final Category food = Category.of("Food", "bread");
    private final Category travel = Category.of("Travel", "train");
    private final Budget budget = new Budget(Currency.EUR).limit(food, euros("100.00"));

    @Test
    void spend_addsToWhatWasSpent() {
        budget.spend(food, euros("10.00"));
        budget.spend(food, euros("15.00"));

        assertMoney("25.00 EUR", budget.spent(food));
    }

    @Test
    void spent_isZeroAtFirst() {
        Money actual = budget.spent(travel);

        assertMoney("0.00 EUR", actual);
    }

    @Test
    void remaining_isNegativeWhenMoreWasSpent() {
        budget.spend(food, euros("120.00"));

        Money actual = budget.remaining(food);

        assertMoney("-20.00 EUR", actual);
    }

    @Test
    void remaining_failsWithoutALimit() {
        assertFails(LedgerException.class, "Travel", () -> budget.remaining(travel));
    }

    @Test
    void isExceeded_isTrueAboveTheLimit() {
        budget.spend(food, euros("100.01"));

        assertTrue(budget.isExceeded(food));
    }

    @Test
    void usedPercent_roundsDown() {
        budget.spend(food, euros("33.99"));

        int actual = budget.usedPercent(food);

        assertEquals(33, actual);
    }
}
