#pragma once

namespace limber {

/// The longest that an inner step believes a gradient to be: of a member's mean support loss with
/// respect to the member's embedding, before the inner learning rate. Longer ones are cut to this
/// length. Ordinary members stay well below it; without it one member whose rows are far from all
/// others is thrown out of the region in which the global block means anything, and with it the
/// training step that the member is in. (Limber's choice; cf. the clipping of inner gradients in
/// Antoniou, Edwards and Storkey 2019, "How to train your MAML".)
inline constexpr float kInnerClip = 1.0F;

}  // namespace limber
