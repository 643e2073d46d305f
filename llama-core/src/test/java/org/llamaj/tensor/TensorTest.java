package org.llamaj.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaException;

class TensorTest {
  @Test
  void rowsCountAllOuterDimensions() {
    Tensor experts =
        new Tensor(
            "blk.0.ffn_up_exps.weight",
            ElementType.F16,
            Shape.of(3, 2, 4),
            MemorySegment.ofArray(new byte[48]));
    assertThat(experts.rows()).isEqualTo(6);
    assertThat(experts.columns()).isEqualTo(4);
    assertThat(experts.rowBytes()).isEqualTo(8);
    assertThat(experts.shape()).hasToString("[3, 2, 4]");
  }

  @Test
  void slicesShareMemoryAndLoseTheOutermostDimension() {
    byte[] bytes = new byte[48];
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) i;
    Tensor experts =
        new Tensor("w", ElementType.F16, Shape.of(3, 2, 4), MemorySegment.ofArray(bytes));
    Tensor last = experts.slice(2);
    assertThat(last.name()).isEqualTo("w[2]");
    assertThat(last.shape()).isEqualTo(Shape.of(2, 4));
    assertThat(last.data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 32);
    assertThat(last.slice(1).data().get(ValueLayout.JAVA_BYTE, 7)).isEqualTo((byte) 47);
    assertThatThrownBy(() -> experts.slice(3))
        .isInstanceOf(LlamaException.class)
        .hasMessage("w: no slice 3 in a tensor of [3, 2, 4]");
    assertThatThrownBy(() -> last.slice(0).slice(0)).isInstanceOf(LlamaException.class);
  }

  @Test
  void memoryOfTheWrongSizeIsRefused() {
    MemorySegment data = MemorySegment.ofArray(new byte[35]);
    assertThatThrownBy(() -> new Tensor("w", ElementType.Q4_0, Shape.of(2, 32), data))
        .isInstanceOf(LlamaException.class)
        .hasMessage("w: expected 36 bytes for Q4_0 [2, 32], found 35");
    assertThatThrownBy(() -> new Tensor("w", ElementType.Q4_0, Shape.of(2, 31), data))
        .isInstanceOf(LlamaException.class)
        .hasMessage("w: Q4_0: expected rows of a multiple of 32 values, found 31");
  }

  @Test
  void shapesThatCannotBeAreRefused() {
    assertThatThrownBy(Shape::of).isInstanceOf(LlamaException.class);
    assertThatThrownBy(() -> Shape.of(4, 0)).hasMessageContaining("[4, 0]");
    assertThatThrownBy(() -> Shape.of(4, -1)).isInstanceOf(LlamaException.class);
    assertThatThrownBy(() -> Shape.of(1L << 32, 1L << 31)).isInstanceOf(LlamaException.class);
    assertThat(Shape.of(1L << 31, 1L << 31).elements()).isEqualTo(1L << 62);
    MemorySegment none = MemorySegment.ofArray(new byte[0]);
    assertThatThrownBy(() -> new Tensor("w", ElementType.F64, Shape.of(1L << 31, 1L << 31), none))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("more bytes than can be addressed");
  }

  @Test
  void typesAreFoundByTheirNumber() {
    for (ElementType type : ElementType.values()) {
      if (type.isGgml()) {
        assertThat(ElementType.ofGgml(type.ggmlId())).contains(type);
      } else {
        assertThat(ElementType.ofGgml(type.ggmlId())).isEmpty();
      }
    }
    assertThat(ElementType.ofGgml(4)).isEmpty();
    assertThat(ElementType.ofGgml(-1)).isEmpty();
    assertThat(ElementType.ofGgml(200)).isEmpty();
  }
}
