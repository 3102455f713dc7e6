package example.ledger.policy;

import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.euros;

import example.ledger.money.Money;
import example.ledger.time.DateRange;
import org.junit.jupiter.api.Test;

class InterestCalculatorTest {

    private final InterestCalculator calculator = new InterestCalculator("3.65");

    @Test
    void simple_growsWithTheDays() {
        Money actual = calculator.simple(euros("1000.00"), 10);

        assertMoney("1.00 EUR", actual);
    }

    @Test
    void simple_countsTheDaysOfARange() {
        DateRange april = DateRange.ofMonth(2024, 4);

        Money actual = calculator.simple(euros("1000.00"), april);

        assertMoney("3.00 EUR", actual);
    }

    @Test
    void compound_addsInterestOnInterest() {
        Money actual = calculator.compound(euros("1000.00"), 2);

        assertMoney("1074.33 EUR", actual);
    }
}
