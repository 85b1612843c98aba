# limber_find_arrow(TARGET PYTHON): makes the interface library TARGET of Arrow, Parquet and Arrow's
# data sets: an installed Arrow where Arrow_DIR says so, else the one inside the pyarrow package of
# the interpreter PYTHON. Used by Limber's own build, and by programs that use an installed Limber.
# Sets limber_arrow_problem, empty where all went well.
function(limber_find_arrow target python)
  set(limber_arrow_problem "" PARENT_SCOPE)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  if(Arrow_DIR OR DEFINED ENV{Arrow_DIR})
    foreach(package Arrow Parquet ArrowDataset)
      find_package(${package} QUIET HINTS $ENV{Arrow_DIR} $ENV{Arrow_DIR}/../${package} ${Arrow_DIR}/../${package})
      if(NOT ${package}_FOUND)
        set(limber_arrow_problem "Arrow_DIR is set, but ${package} is not there." PARENT_SCOPE)
        return()
      endif()
    endforeach()
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES
      "Arrow::arrow_shared;Parquet::parquet_shared;ArrowDataset::arrow_dataset_shared")
    return()
  endif()
  set(answer "")
  if(python)
    execute_process(
      COMMAND ${python} -c "import pyarrow; print(pyarrow.get_include(), pyarrow.get_library_dirs()[0], sep=';')"
      OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  if(NOT answer)
    set(limber_arrow_problem "Arrow was not found: no Arrow_DIR is set, and '${python}' has no pyarrow." PARENT_SCOPE)
    return()
  endif()
  list(GET answer 0 include)
  list(GET answer 1 folder)
  set(libraries "")
  foreach(library arrow parquet arrow_compute arrow_dataset arrow_acero)
    file(GLOB found ${folder}/lib${library}.so.[0-9]*)
    if(NOT found)
      set(limber_arrow_problem "lib${library} is not in ${folder}; another pyarrow is needed (scripts/requirements.txt pins it)." PARENT_SCOPE)
      return()
    endif()
    list(SORT found)
    list(GET found 0 found)
    list(APPEND libraries ${found})
  endforeach()
  set_target_properties(${target} PROPERTIES
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${include}
    INTERFACE_INCLUDE_DIRECTORIES ${include}
    INTERFACE_LINK_LIBRARIES "${libraries}"
    INTERFACE_LINK_OPTIONS "-Wl,-rpath,${folder}")
endfunction()
