package shop;
import lombok.Getter;
public class Bean { @Getter private int x; /*gen*/ public int getX() { return x; } }
