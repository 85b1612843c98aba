# The protocol's messages and stubs, generated at build time. They are compiled and included without
# our warnings.
set(generated ${CMAKE_CURRENT_BINARY_DIR}/open_inference)
set(generated_files
  ${generated}/open_inference.pb.h ${generated}/open_inference.pb.cc
  ${generated}/open_inference.grpc.pb.h ${generated}/open_inference.grpc.pb.cc)
file(MAKE_DIRECTORY ${generated})
add_custom_command(OUTPUT ${generated_files}
  COMMAND protobuf::protoc --proto_path=${folder} --cpp_out=${generated} --grpc_out=${generated}
          --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> open_inference.proto
  DEPENDS ${folder}/open_inference.proto
  COMMENT "Generating the Open Inference Protocol")
add_library(limber_open_inference STATIC ${generated_files})
target_include_directories(limber_open_inference SYSTEM PUBLIC ${generated})
target_link_libraries(limber_open_inference PUBLIC gRPC::grpc++ limber_protobuf)
if(LIMBER_SANITIZE)
  target_compile_options(limber_open_inference PRIVATE -fsanitize=${LIMBER_SANITIZE})
endif()
target_link_libraries(limber_serving_grpc PUBLIC limber_open_inference)
# A fence in Asio's headers, which the thread sanitizer does not understand; locks order the same.
if(LIMBER_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(limber_${name} PRIVATE -Wno-tsan)
endif()
