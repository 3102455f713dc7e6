package example.ledger.money;

import static example.ledger.testing.LedgerAssertions.assertFails;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CurrencyTest {

    @Test
    void ofCode_ignoresCase() {
        Currency actual = Currency.ofCode("chf");

        assertEquals(Currency.CHF, actual);
    }

    @Test
    void ofCode_failsForAnUnknownCode() {
        assertFails(IllegalArgumentException.class, "XXX", () -> Currency.ofCode("XXX"));
    }

    @Test
    void round_keepsTheDigitsOfTheCurrency() {
        BigDecimal actual = Currency.JPY.round(new BigDecimal("99.5"));

        assertEquals(new BigDecimal("100"), actual);
    }

    @ParameterizedTest
    @CsvSource({"EUR, 1.02, 1.02", "CHF, 1.02, 1.00", "CHF, 1.03, 1.05", "JPY, 1.50, 2"})
    void roundToCoins_findsTheNearestCoin(Currency currency, BigDecimal amount, BigDecimal coins) {
        BigDecimal actual = currency.roundToCoins(amount);

        assertEquals(coins, actual);
    }
}
