package example.ledger.money;

import static example.ledger.testing.LedgerAssertions.assertMoney;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AmountParserTest {

    private final AmountParser parser = new AmountParser();

    @Test
    void parse_readsTheCurrencyCode() {
        Money actual = parser.parse("-3.50 usd");

        assertMoney("-3.50 USD", actual);
    }

    @Test
    void parse_skipsThousandsSeparators() {
        Money actual = parser.parse("1,234.50", Currency.EUR);

        assertMoney("1234.50 EUR", actual);
    }

    @Test
    void parse_takesParenthesesAsNegative() {
        Money actual = parser.parse("(12.00)", Currency.EUR);

        assertMoney("-12.00 EUR", actual);
    }

    @ParameterizedTest
    @CsvSource({"12, true", "-0.5, true", "1.2.3, false", "twelve, false"})
    void isNumber_tellsAmountsFromWords(String text, boolean expected) {
        boolean actual = parser.isNumber(text);

        assertEquals(expected, actual);
    }
}
